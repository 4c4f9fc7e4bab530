#!/usr/bin/env bash
# Starts and stops the services that tests and development use: Postgres, Redis and the ClickHouse engine.
#
#   scripts/services.sh start DIR    start what is not running yet, wait until it answers
#   scripts/services.sh env DIR      print the export lines for what runs
#   scripts/services.sh status DIR   one line per service; exits 1 unless all run
#   scripts/services.sh stop DIR     stop what was started here, by process id
#
# Everything listens on 127.0.0.1 on private ports picked at start, and lives under DIR: data, logs, process ids. The one
# exception is Postgres when run as root: it refuses to be root, so it runs as an unprivileged user, and if that user cannot
# reach DIR its data goes to a directory under TMPDIR (named in DIR/postgres.datadir, removed by `stop`).
# These are throw-away servers: Postgres runs without fsync. Never point them at data you need.
#
# BROKLE_BIN                  the brokle binary that serves the engine (needed unless BROKLE_TEST_CLICKHOUSE_URL is set)
# BROKLE_TEST_DATABASE_URL, BROKLE_TEST_REDIS_URL, BROKLE_TEST_CLICKHOUSE_URL
#                             set from outside: that server is used, and none is started
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() { die "usage: scripts/services.sh start|stop|status|env DIR"; }
[[ $# -eq 2 ]] || usage
action="$1"
mkdir -p "$2"
DIR="$(cd "$2" && pwd -P)"
chmod 0755 "$DIR"

SERVICES=(postgres redis clickhouse)
url_variable() {
  case "$1" in
  postgres) echo BROKLE_TEST_DATABASE_URL ;;
  redis) echo BROKLE_TEST_REDIS_URL ;;
  clickhouse) echo BROKLE_TEST_CLICKHOUSE_URL ;;
  esac
}

# ---- processes -------------------------------------------------------------------------------------------------------------

# born PID: something that differs between two processes that had the same id one after the other
born() {
  if [[ -r "/proc/$1/stat" ]]; then
    sed -E 's/.*\) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
  else
    ps -o lstart= -p "$1" 2>/dev/null
  fi
}

# record SERVICE PID
record() { printf '%s %s\n' "$2" "$(born "$2")" >"$DIR/$1.pid"; }

# pid_of SERVICE: the id of the process we started, if it is still that process and not dead
pid_of() {
  local pid was
  [[ -f "$DIR/$1.pid" ]] || return 1
  read -r pid was <"$DIR/$1.pid" || return 1
  [[ -n "$pid" && -n "$was" && "$(born "$pid")" == "$was" ]] || return 1
  # A zombie has ended; it only waits for its parent (in a container without init, for ever).
  ! grep -qs '^State:[[:space:]]*Z' "/proc/$pid/status" || return 1
  printf '%s' "$pid"
}

# detach LOG CMD...: start CMD in a session of its own, so that Ctrl-C reaches us and not it; its id is in $started
detach() {
  local log="$1"
  shift
  # fd 9 is the lock: a service must not inherit it, or the lock would be held until it stops.
  setsid "$@" </dev/null >>"$log" 2>&1 9>&- &
  started=$!
  disown "$started" 2>/dev/null || true
}

# end SERVICE FIRST_SIGNAL SECONDS: ask, wait, insist
end() {
  local pid i
  pid="$(pid_of "$1")" || { rm -f "$DIR/$1.pid"; return 0; }
  kill "-$2" "$pid" 2>/dev/null || true
  for ((i = 0; i < $3 * 20; i++)); do
    pid_of "$1" >/dev/null || { rm -f "$DIR/$1.pid"; return 0; }
    sleep 0.05
  done
  say "$1 (pid $pid) did not stop within $3 s, ending it hard"
  # Postgres: SIGQUIT makes it end its own children too, which SIGKILL would leave behind for a while.
  [[ "$1" == postgres ]] && kill -QUIT "$pid" 2>/dev/null && sleep 2
  kill -KILL "$pid" 2>/dev/null || true
  for ((i = 0; i < 100; i++)); do
    pid_of "$1" >/dev/null || break
    sleep 0.05
  done
  rm -f "$DIR/$1.pid"
}

# ---- ports and readiness -----------------------------------------------------------------------------------------------------

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A free port below the range the kernel hands out itself, so that no outgoing connection takes it in the meantime.
free_port() {
  local port
  for _ in {1..200}; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    answers "$port" || { printf '%s' "$port"; return 0; }
  done
  die "found no free port between 20000 and 32000 on 127.0.0.1"
}

# http_ok PORT PATH: does the HTTP server answer 200? (without needing curl)
http_ok() {
  local line=''
  exec 4<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&4
  IFS= read -r -t 2 line <&4 || true
  # To the end, or the server logs a connection that broke.
  IFS= read -r -d '' -t 1 _ <&4 || true
  exec 4>&-
  [[ "$line" == HTTP/1.?\ 200* ]]
} 2>/dev/null

# launch SERVICE SECONDS: run start_SERVICE PORT until the service answers; a port somebody took meanwhile gets another try
launch() {
  local service="$1" seconds="$2" port try i pid
  : >"$DIR/$service.log"
  [[ "$service" == postgres && -n "${PG_USER:-}" ]] && chown "$PG_USER" "$DIR/$service.log"
  for try in 1 2 3; do
    port="$(free_port)"
    "start_$service" "$port"
    record "$service" "$started"
    for ((i = 0; i < seconds * 10; i++)); do
      pid="$(pid_of "$service")" || break
      if "ready_$service" "$port" "$pid"; then
        printf '%s' "$port" >"$DIR/$service.port"
        say "$service: 127.0.0.1:$port (pid $pid)"
        return 0
      fi
      sleep 0.1
    done
    if pid_of "$service" >/dev/null; then
      end "$service" TERM 5
      tail -n 30 "$DIR/$service.log" >&2
      die "$service did not answer within $seconds s; its log is $DIR/$service.log"
    fi
    rm -f "$DIR/$service.pid"
    grep -qiE 'address already in use|could not bind|Address in use' "$DIR/$service.log" || break
    ((try < 3)) && say "$service: port $port was taken meanwhile, trying another"
  done
  tail -n 30 "$DIR/$service.log" >&2
  die "$service ended right after its start; its log is $DIR/$service.log"
}

# ---- Postgres ----------------------------------------------------------------------------------------------------------------

PG_USER='' PG_BIN='' PG_DATA=''
# as_pg CMD...: run as the user that Postgres may be
as_pg() {
  if [[ -z "$PG_USER" ]]; then "$@"; return; fi
  (cd / && exec setpriv --reuid "$PG_USER" --regid "$(id -g "$PG_USER")" --init-groups env HOME=/ "$@")
}

prepare_postgres() {
  local version
  read -r PG_BIN version <<<"$(find_postgres) "
  [[ -n "$PG_BIN" ]] || die "Postgres is not installed; run scripts/install-deps.sh, or set BROKLE_TEST_DATABASE_URL to a server you have"
  version="${version// /}"
  version_ge "$version" 13 || die "Postgres $version in $PG_BIN is too old (>= 13 is needed); install a newer one"
  PG_DATA="$DIR/postgres"
  if [[ $(id -u) -eq 0 ]]; then
    PG_USER=postgres
    id "$PG_USER" >/dev/null 2>&1 || PG_USER=nobody
    if [[ -f "$DIR/postgres.datadir" ]]; then
      PG_DATA="$(cat "$DIR/postgres.datadir")"
    elif ! as_pg test -x "$DIR"; then
      PG_DATA="$(mktemp -d "${TMPDIR:-/tmp}/brokle-postgres.XXXXXX")/data"
      chown "$PG_USER" "$(dirname "$PG_DATA")"
      as_pg test -x "$(dirname "$PG_DATA")" || die "user $PG_USER, which Postgres has to run as, can reach neither $DIR nor $(dirname "$PG_DATA"); set TMPDIR to a directory it can reach"
      printf '%s' "$PG_DATA" >"$DIR/postgres.datadir"
    fi
  fi
  if [[ ! -f "$PG_DATA/PG_VERSION" || ! -f "$DIR/postgres.password" || ! -f "$DIR/postgres.initialised" ]]; then
    rm -rf "$PG_DATA" "$DIR/postgres.initialised"
    (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$DIR/postgres.password")
    mkdir -p "$PG_DATA"
    [[ -z "$PG_USER" ]] || chown "$PG_USER" "$PG_DATA"
    # initdb reads the password from a file that its user can read, and that is gone right after.
    local password_file="$PG_DATA.initdb-password" code=0
    (umask 077 && cp "$DIR/postgres.password" "$password_file")
    [[ -z "$PG_USER" ]] || chown "$PG_USER" "$password_file"
    as_pg "$PG_BIN/initdb" -D "$PG_DATA" -U brokle --auth=scram-sha-256 --pwfile="$password_file" --encoding=UTF8 --locale=C --no-sync \
      >"$DIR/postgres.initdb.log" 2>&1 || code=$?
    rm -f "$password_file"
    if ((code != 0)); then
      cat "$DIR/postgres.initdb.log" >&2
      die "initdb failed (see above)"
    fi
    touch "$DIR/postgres.initialised"
  fi
}

start_postgres() {
  local -a run=("$PG_BIN/postgres" -D "$PG_DATA" -p "$1" -c listen_addresses=127.0.0.1 -c unix_socket_directories=
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=400 -c shared_buffers=128MB
    -c max_wal_size=1GB -c wal_level=minimal -c max_wal_senders=0 -c log_min_messages=warning)
  if [[ -n "$PG_USER" ]]; then
    run=(setpriv --reuid "$PG_USER" --regid "$(id -g "$PG_USER")" --init-groups env HOME=/ "${run[@]}")
    cd /
  fi
  detach "$DIR/postgres.log" "${run[@]}"
  cd "$ROOT"
}

ready_postgres() {
  PGPASSWORD="$(cat "$DIR/postgres.password")" PGCONNECT_TIMEOUT=2 "$PG_BIN/psql" -h 127.0.0.1 -p "$1" -U brokle -d postgres -Atqc 'select 1' >/dev/null 2>&1
}

# ---- Redis -------------------------------------------------------------------------------------------------------------------

REDIS_BIN=''
prepare_redis() {
  local version
  read -r REDIS_BIN version <<<"$(find_redis) "
  [[ -n "$REDIS_BIN" ]] || die "Redis is not installed; run scripts/install-deps.sh, or set BROKLE_TEST_REDIS_URL to a server you have"
  version="${version// /}"
  version_ge "$version" 6.2 || die "Redis $version at $REDIS_BIN is too old (>= 6.2 is needed, 7 or newer wanted); put a newer one first in PATH"
  version_ge "$version" 7 || say "redis: $version works, but 7 or newer is what Brokle is tested with"
  mkdir -p "$DIR/redis"
}

start_redis() {
  detach "$DIR/redis.log" "$REDIS_BIN" --bind 127.0.0.1 --port "$1" --dir "$DIR/redis" --daemonize no --save '' \
    --appendonly yes --appendfsync everysec --maxmemory-policy noeviction --databases 64
}

ready_redis() {
  local line=''
  exec 4<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'INFO server\r\n' >&4
  while IFS= read -r -t 2 line <&4; do
    if [[ "$line" == process_id:* ]]; then break; fi
    if [[ "$line" == -* || "$line" == executable:* ]]; then break; fi
  done
  exec 4>&-
  # Whoever answers has to be the process we started.
  [[ "${line%$'\r'}" == "process_id:$2" ]]
} 2>/dev/null

# ---- the ClickHouse engine -----------------------------------------------------------------------------------------------------

prepare_clickhouse() {
  [[ -n "${BROKLE_BIN:-}" ]] || die "BROKLE_BIN is not set: it has to name the brokle binary, which serves the ClickHouse engine (make build), or set BROKLE_TEST_CLICKHOUSE_URL to a server you have"
  [[ -x "$BROKLE_BIN" ]] || die "BROKLE_BIN is $BROKLE_BIN, and there is no such program; build it with: make build"
}

start_clickhouse() {
  detach "$DIR/clickhouse.log" env -u BROKLE_ENGINE_ARCHIVE -u APP_MODE "$BROKLE_BIN" engine --listen "127.0.0.1:$1" --data "$DIR/clickhouse"
}

ready_clickhouse() { http_ok "$1" /ping || http_ok "$1" '/?query=SELECT%201'; }

# ---- actions -----------------------------------------------------------------------------------------------------------------

url_of() {
  local port
  port="$(cat "$DIR/$1.port")"
  case "$1" in
  postgres) printf 'postgres://brokle:%s@127.0.0.1:%s/postgres' "$(cat "$DIR/postgres.password")" "$port" ;;
  redis) printf 'redis://127.0.0.1:%s' "$port" ;;
  clickhouse) printf 'http://127.0.0.1:%s' "$port" ;;
  esac
}

# stop_one SERVICE. SIGINT is Postgres's "fast" shutdown: open connections are closed, not waited for.
stop_one() {
  case "$1" in
  postgres) end postgres INT 10 ;;
  redis) end redis TERM 10 ;;
  clickhouse) end clickhouse TERM 30 ;;
  esac
  rm -f "$DIR/$1.port"
}

stop_all() {
  local service
  for service in clickhouse redis postgres; do stop_one "$service"; done
  if [[ -f "$DIR/postgres.datadir" ]]; then
    local parent
    parent="$(dirname "$(cat "$DIR/postgres.datadir")")"
    # Only what the mktemp above can have made.
    [[ "$(basename "$parent")" == brokle-postgres.* ]] && rm -rf "$parent"
    rm -f "$DIR/postgres.datadir" "$DIR/postgres.initialised"
  fi
}

exec 9>"$DIR/lock"
case "$action" in
start)
  flock -w 60 9 || die "another start or stop is under way in $DIR"
  # A start that is interrupted or fails leaves nothing behind that it started itself.
  fresh=()
  undo() {
    local code=$? service
    trap - EXIT
    ((code == 0)) || for service in "${fresh[@]}"; do stop_one "$service"; done
    exit "$code"
  }
  trap undo EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  raise_file_limit
  for service in "${SERVICES[@]}"; do
    variable="$(url_variable "$service")"
    if [[ -n "${!variable:-}" ]]; then
      say "$service: $variable is set, none started"
    elif pid_of "$service" >/dev/null && [[ -f "$DIR/$service.port" ]]; then
      say "$service: already running on 127.0.0.1:$(cat "$DIR/$service.port")"
    else
      # Half started earlier (its process runs, but nobody waited for it): begin again.
      stop_one "$service"
      fresh+=("$service")
      "prepare_$service"
      if [[ "$service" == clickhouse ]]; then launch "$service" 60; else launch "$service" 30; fi
    fi
  done
  ;;
stop)
  flock -w 120 9 || die "another start or stop is under way in $DIR"
  stop_all
  ;;
env)
  for service in "${SERVICES[@]}"; do
    variable="$(url_variable "$service")"
    if [[ -n "${!variable:-}" ]]; then
      printf 'export %s=%q\n' "$variable" "${!variable}"
    elif pid_of "$service" >/dev/null && [[ -f "$DIR/$service.port" ]]; then
      printf 'export %s=%q\n' "$variable" "$(url_of "$service")"
    else
      die "$service is not running; start it with: scripts/services.sh start $2"
    fi
  done
  ;;
status)
  missing=0
  for service in "${SERVICES[@]}"; do
    if pid="$(pid_of "$service")" && [[ -f "$DIR/$service.port" ]]; then
      printf '%-10s running, pid %s, 127.0.0.1:%s\n' "$service" "$pid" "$(cat "$DIR/$service.port")"
    else
      printf '%-10s not running\n' "$service"
      missing=1
    fi
  done
  exit "$missing"
  ;;
*) usage ;;
esac
