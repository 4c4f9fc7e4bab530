//! The Lua scripts of the queue: what must happen together happens in Redis, in one slot.

/// Adds an entry unless the same request was added before or the shard is full.
///
/// KEYS: stream, mark of the request, waiting bytes. ARGV: window in seconds, answer of the mark, most entries, most bytes,
/// bytes of this entry, then the fields. Returns `{"added", id}`, `{"repeat", answer}` or `{"full", what}`.
pub(super) const ADD: &str = r"
local seen = redis.call('GET', KEYS[2])
if seen then return {'repeat', seen} end
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[3]) then return {'full', 'entries'} end
local waiting = tonumber(redis.call('GET', KEYS[3]) or '0')
if waiting > 0 and waiting + tonumber(ARGV[5]) > tonumber(ARGV[4]) then return {'full', 'bytes'} end
local id = redis.call('XADD', KEYS[1], '*', unpack(ARGV, 6))
redis.call('INCRBY', KEYS[3], ARGV[5])
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[1])
return {'added', id}
";

/// Takes entries out of the stream and of the waiting bytes; an entry that is gone already is not counted again.
///
/// KEYS: stream, waiting bytes. ARGV: group, then id and bytes of each entry. Returns how many were there.
pub(super) const ACKNOWLEDGE: &str = r"
local gone = 0
for i = 2, #ARGV, 2 do
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
  if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then
    gone = gone + 1
    if redis.call('DECRBY', KEYS[2], ARGV[i + 1]) < 0 then redis.call('SET', KEYS[2], '0') end
  end
end
if redis.call('XLEN', KEYS[1]) == 0 then redis.call('SET', KEYS[2], '0') end
return gone
";

/// Makes a dead letter of an entry and takes it out of the stream, unless it is gone already: then the letter was written too.
///
/// KEYS: stream, waiting bytes, dead letters. ARGV: group, id and bytes of the entry, then the fields of the letter. Returns 1, or
/// 0 where the entry was gone.
pub(super) const BURY: &str = r"
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
if redis.call('XDEL', KEYS[1], ARGV[2]) == 0 then return 0 end
redis.call('XADD', KEYS[3], '*', unpack(ARGV, 4))
if redis.call('DECRBY', KEYS[2], ARGV[3]) < 0 then redis.call('SET', KEYS[2], '0') end
if redis.call('XLEN', KEYS[1]) == 0 then redis.call('SET', KEYS[2], '0') end
return 1
";
