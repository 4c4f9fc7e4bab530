#!/usr/bin/env bash
# `make bench-ingest`: measures ingestion with the optimised binary and writes docs/benchmarks.md. Arguments go to the benchmark:
#
#   --quick            3 seconds a row instead of 10
#   --duration N       N seconds a row
#   --only PART,...    engine, standalone, split
#   --sizes N,...      of 1, 10, 100, 510 spans a request
#   --no-write         leave docs/benchmarks.md as it is
#
# Fetches nothing but crates. Services run on private ports, with data and logs under .dev/bench; they are stopped at the end.
# Run it on a machine that does nothing else.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

DIR="$ROOT/.dev/bench"
mkdir -p "$DIR"
exec 8>"$DIR.lock"
flock -n 8 || die "another 'make bench-ingest' runs in this checkout"

engine="$(scripts/engine.sh --path)"
[[ -f "$engine" ]] || die "the ClickHouse engine is not there ($engine); fetch it with: make engine"

# What is configured in this terminal for a Brokle of one's own must not change what is measured.
while read -r name; do unset "$name"; done < <(compgen -e | grep -E \
  '^(APP_MODE|APP_URL|HOST|PORT|GRPC_PORT|WORKER_PORT|DATABASE_URL|CLICKHOUSE_URL|REDIS_URL|JWT_.*|AI_KEY_.*|LOG_LEVEL|LOG_FORMAT|OTEL_.*|RATE_LIMIT_.*|TRUSTED_PROXIES|BROKLE_(CONFIG|DATA_DIR|FSYNC|INIT_.*|ENTERPRISE_.*|API_KEY|BASE_URL|ENGINE_ARCHIVE))$')

# Built as it is shipped.
cargo build --release --locked --bin brokle
mkdir -p "$DIR/bin"
# A copy: building the benchmark builds the binary again, with the features that the tests' crates turn on.
cp --remove-destination "$CARGO_TARGET_DIR/release/brokle" "$DIR/bin/brokle"
bench="$(cargo bench --locked --bench ingest --no-run --message-format=json 2>/dev/null | sed -nE 's/.*"name":"ingest".*"executable":"([^"]+)".*/\1/p' | tail -1)"
[[ -n "$bench" ]] || cargo bench --locked --bench ingest --no-run
[[ -x "$bench" ]] || die "the benchmark was not built (see above)"

export BROKLE_BIN="$DIR/bin/brokle" BROKLE_ENGINE_LIB="$engine"
child=''
on_exit() {
  local code=$?
  trap - EXIT
  trap '' INT TERM HUP
  # The benchmark stops its own processes when it is asked to end.
  if [[ -n "$child" ]]; then
    kill -TERM "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  scripts/services.sh stop "$DIR/services" || bad "some services could not be stopped; see: scripts/services.sh status .dev/bench/services"
  rm -rf "$DIR/work" "$DIR/services"
  exit "$code"
}
trap on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

case " $* " in
*' --only '*) parts="$*" ;;
*) parts="split" ;;
esac
if [[ "$parts" == *split* ]]; then
  scripts/services.sh start "$DIR/services"
  environment="$(scripts/services.sh env "$DIR/services")"
  eval "$environment"
  export BROKLE_BENCH_SERVICES="$DIR/services"
fi
export BROKLE_BENCH_DIR="$DIR/work"
"$bench" "$@" &
child=$!
code=0
wait "$child" || code=$?
child=''
if ((code != 0)) && [[ -d "$DIR/work" ]]; then
  mkdir -p "$DIR/logs"
  cp -f "$DIR/work"/*.log "$DIR/logs/" 2>/dev/null || true
  say "the logs of the processes are in .dev/bench/logs"
fi
((code == 0))
