//! Limits of all servers together, counted in Redis.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use deadpool_redis::redis::Script;
use deadpool_redis::redis::aio::MultiplexedConnection;

use super::{RateLimiter, SLICES, Subject, Unavailable, Verdict, Window};
use crate::common::clock::SharedClock;
use crate::infra::redis::{Error, Redis};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long Redis is left alone after it gave none.
const REST: Duration = Duration::from_secs(1);

/// Counts one more, unless that would be too much; what [`super::memory`] does, in one step for all servers.
///
/// KEYS: the counts of the subject, by slice. ARGV: limit, milliseconds of a slice, slices of a window, now in milliseconds (empty: by
/// the clock of Redis, which all servers share). Returns 1 or 0 for allowed or not, how often it was done, and milliseconds.
const HIT: &str = r"
local limit, slice, slices = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(ARGV[4])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local current = math.floor(now / slice)
local total, counts, numbers = 0, {}, {}
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local number, count = tonumber(fields[i]), tonumber(fields[i + 1])
  if number < current - slices or number > current then
    redis.call('HDEL', KEYS[1], fields[i])
  else
    total = total + count
    counts[number] = count
    numbers[#numbers + 1] = number
  end
end
table.sort(numbers)
if total >= limit then
  local left, over = total, current
  for _, number in ipairs(numbers) do
    left = left - counts[number]
    if left < limit then over = number break end
  end
  return {0, total, (over + slices + 1) * slice - now}
end
redis.call('HINCRBY', KEYS[1], string.format('%.0f', current), 1)
redis.call('PEXPIRE', KEYS[1], (slices + 1) * slice)
return {1, total + 1, ((numbers[1] or current) + slices + 1) * slice - now}
";

/// Counts in Redis.
pub struct InRedis {
    redis: Redis,
    window: Window,
    script: Script,
    /// None: the clock of Redis.
    clock: Option<SharedClock>,
    /// One for all requests: it sends what comes in at the same time together.
    connection: Mutex<Option<MultiplexedConnection>>,
    resting: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for InRedis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InRedis").field("window", &self.window).finish_non_exhaustive()
    }
}

impl InRedis {
    /// Limits over this window.
    pub fn new(redis: Redis, window: Window) -> Self {
        Self { redis, window, script: Script::new(HIT), clock: None, connection: Mutex::default(), resting: Mutex::default() }
    }

    /// By another clock than that of Redis.
    #[cfg(test)]
    #[must_use]
    pub fn with_clock(self, clock: SharedClock) -> Self {
        Self { clock: Some(clock), ..self }
    }

    async fn connection(&self) -> Result<MultiplexedConnection, Error> {
        let open = self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(connection) = open {
            return Ok(connection);
        }
        let connection = self.redis.own_connection().await?;
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection.clone());
        Ok(connection)
    }

    async fn ask(&self, subject: Subject, limit: u32) -> Result<(u8, u64, u64), Error> {
        let mut connection = self.connection().await?;
        let now = self.clock.as_ref().map(|clock| (clock.now_us() / 1_000).to_string()).unwrap_or_default();
        let mut invocation = self.script.key(self.redis.key(&format!("rate:{}", subject.hex())));
        invocation.arg(limit).arg(self.window.slice).arg(SLICES).arg(now);
        Ok(invocation.invoke_async(&mut connection).await?)
    }

    fn resting(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RateLimiter for InRedis {
    async fn hit(&self, subject: Subject, limit: u32) -> Result<Verdict, Unavailable> {
        if self.resting().is_some_and(|until| Instant::now() < until) {
            return Err(Unavailable("Redis did not answer a moment ago".to_owned()));
        }
        let problem = match tokio::time::timeout(PATIENCE, self.ask(subject, limit)).await {
            Ok(Ok((allowed, total, milliseconds))) => {
                return Ok(Verdict {
                    allowed: allowed == 1,
                    limit,
                    remaining: u32::try_from(u64::from(limit).saturating_sub(total)).unwrap_or(u32::MAX),
                    after: Duration::from_millis(milliseconds),
                });
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("Redis gave no answer within {} ms", PATIENCE.as_millis()),
        };
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.resting() = Some(Instant::now() + REST);
        Err(Unavailable(problem))
    }
}
