#!/usr/bin/env bash
# `make services` and `make services-stop`: the services of scripts/services.sh, kept running for development under .dev/services.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
DIR="$ROOT/.dev/services"
case "${1:-}" in
start)
  scripts/tools.sh
  scripts/install-deps.sh
  if [[ -z "${BROKLE_TEST_CLICKHOUSE_URL:-}" && -z "${BROKLE_BIN:-}" ]]; then
    scripts/engine.sh
    scripts/web.sh build
    cargo build --locked --bin brokle
    # A copy: the one in the target directory is replaced by the next build.
    mkdir -p "$DIR/bin"
    cp --remove-destination "$CARGO_TARGET_DIR/debug/brokle" "$DIR/bin/brokle"
    export BROKLE_BIN="$DIR/bin/brokle"
  fi
  scripts/services.sh start "$DIR"
  scripts/services.sh env "$DIR"
  say "for your shell: eval \"\$(scripts/services.sh env .dev/services)\"      to stop them: make services-stop"
  ;;
stop) scripts/services.sh stop "$DIR" ;;
*) die "usage: scripts/dev-services.sh start|stop" ;;
esac
