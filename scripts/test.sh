#!/usr/bin/env bash
# `make test`: from a fresh clone to every test run against real services, which are stopped at the end whatever happens.
#
#   scripts/test.sh          what CI runs
#   scripts/test.sh --full   the same, with BROKLE_TEST_FULL=1 for suites that have a longer form
#
# Services run on private ports with their data and logs under .dev/test (logs are kept until the next run).
# BROKLE_TEST_DATABASE_URL, BROKLE_TEST_REDIS_URL, BROKLE_TEST_CLICKHOUSE_URL: use these servers instead of starting them.
#
# The black-box suites tests/{sdk,browser}/run.sh get, in the environment:
#   BROKLE_BIN                 the community binary (debug)
#   BROKLE_TEST_*_URL          the services above
#   BROKLE_ENGINE_LIB          the engine library
#   BROKLE_TEST_PYTHON         a Python with tests/sdk/requirements.txt installed
#   BROKLE_TEST_CHROMIUM       a Chromium for Playwright
#   BROKLE_TEST_DIR            an empty directory of the suite's own
# They exit 0 or not, and end what they started also when they get SIGTERM.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/stages.sh
source "$(dirname "${BASH_SOURCE[0]}")/stages.sh"
cd "$ROOT"
RUN_NAME='make test'
case "${1:-}" in
'') ;;
--full)
  RUN_NAME='make test-full'
  export BROKLE_TEST_FULL=1
  ;;
*) die "usage: scripts/test.sh [--full]" ;;
esac

# What the person at this terminal has configured for a Brokle of their own must not leak into the tests, and a proxy must not
# stand between a test and its server.
while read -r name; do unset "$name"; done < <(compgen -e | grep -E \
  '^(APP_MODE|APP_URL|HOST|PORT|GRPC_PORT|WORKER_PORT|DATABASE_URL|CLICKHOUSE_URL|REDIS_URL|JWT_.*|AI_KEY_.*|CORS_.*|SMTP_.*|BLOB_STORAGE_.*|LOG_LEVEL|LOG_FORMAT|OTEL_.*|RATE_LIMIT_.*|TRUSTED_PROXIES|BROKLE_(CONFIG|DATA_DIR|FSYNC|INIT_.*|ENTERPRISE_.*|API_KEY|BASE_URL))$')
export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"
export no_proxy="$NO_PROXY"

DIR="$ROOT/.dev/test"
services_touched=false
on_exit() {
  $services_touched || return 0
  scripts/services.sh stop "$DIR" || bad "some services could not be stopped; see: scripts/services.sh status .dev/test"
  # What the servers stored is only of use after a failure.
  [[ "$1" != 0 ]] || rm -rf "${DIR:?}"/{postgres,redis,clickhouse,bin}
  say "services stopped; their logs are in .dev/test"
}

prepare_directory() {
  mkdir -p "$DIR"
  # A run that was ended hard may have left services behind.
  scripts/services.sh stop "$DIR"
  find "$DIR" -mindepth 1 -maxdepth 1 ! -name lock -exec rm -rf {} +
  mkdir -p "$DIR/bin"
}

# A copy, so that building the other edition, or another clone that shares the target directory, does not swap it underway.
build_binary() {
  cargo build --locked --bin brokle
  cp "$CARGO_TARGET_DIR/debug/brokle" "$DIR/bin/brokle"
}

# Without nextest, the tests of one edition have to end within this many minutes (compiling not counted).
LIMIT=15
[[ -z "${BROKLE_TEST_FULL:-}" ]] || LIMIT=60

# within_limit CMD...: run CMD; when it takes too long, end it and everything it has started: the process group of the stage
within_limit() {
  local code=0 watchdog
  (
    # Waits without a process of its own, which would stay behind and keep the output open.
    read -rt "$((LIMIT * 60))" <> <(:) || true
    bad "error: the tests have not ended within $LIMIT minutes and are stopped; 'has been running for over 60 seconds' above names those that hang"
    bad "cargo-nextest ends a test that hangs alone, and goes on with the others: cargo install --locked cargo-nextest"
    trap '' TERM
    kill -TERM 0
    read -rt 10 <> <(:) || true
    kill -KILL 0
  ) &
  watchdog=$!
  "$@" || code=$?
  kill "$watchdog" 2>/dev/null || true
  return "$code"
}

# run_tests CARGO_FLAGS...
#
# With nextest each test has a process and a time limit of its own (.config/nextest.toml). Where it is missing it is not
# installed: compiling it costs more minutes than cargo-deny, which takes 4 on two cores, and a CI run that begins with empty
# caches has to compile both editions within its time as well. cargo test runs the same tests, all in one process.
run_tests() {
  if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --locked "$@"
  else
    say "cargo-nextest is not installed, using cargo test: $LIMIT minutes for all tests instead of 2 for each (cargo install --locked cargo-nextest)"
    cargo test --locked --no-run --lib --bins --tests "$@"
    within_limit cargo test --locked --no-fail-fast --lib --bins --tests "$@"
  fi
}

# suite NAME: the black-box suite tests/NAME/run.sh, in a directory of its own
suite() {
  mkdir -p "$DIR/$1"
  BROKLE_TEST_DIR="$DIR/$1" exec "tests/$1/run.sh"
}

raise_file_limit
mkdir -p "$DIR"
exec 8>"$ROOT/.dev/test.lock"
flock -n 8 || die "another 'make test' runs in this checkout; wait for it, or use a second clone"

stage 'tools' scripts/tools.sh
stage 'packages' scripts/install-deps.sh
stage 'engine' scripts/engine.sh
BROKLE_ENGINE_LIB="$(scripts/engine.sh --path)"
export BROKLE_ENGINE_LIB
# Meant for the fetching; the program refuses names with its prefix that it does not know.
unset BROKLE_ENGINE_ARCHIVE
stage 'web build' scripts/web.sh build
services_touched=true
stage 'clean directory' prepare_directory
stage 'build' build_binary
export BROKLE_BIN="$DIR/bin/brokle"
stage 'services' scripts/services.sh start "$DIR"
environment="$(scripts/services.sh env "$DIR")"
eval "$environment"
stage 'tests, community' run_tests
stage 'tests, enterprise' run_tests --features enterprise
stage 'documentation tests' cargo test --locked --doc
stage 'generated files' scripts/regen.sh --check
stage 'web check' scripts/web.sh check
stage 'web tests' scripts/web.sh test
BROKLE_TEST_CHROMIUM="$(find_chromium)"
export BROKLE_TEST_CHROMIUM
stage 'python packages' scripts/python-env.sh tests/sdk/requirements.txt
BROKLE_TEST_PYTHON="$(scripts/python-env.sh tests/sdk/requirements.txt)"
export BROKLE_TEST_PYTHON
for name in sdk browser; do stage "suite: $name" suite "$name"; done
