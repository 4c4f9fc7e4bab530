#!/usr/bin/env bash
# `make run`: from a fresh clone to Brokle running on this machine, and from the second time on just Brokle running.
# Arguments are passed on to the binary. Ctrl-C stops it; the data stays in ./brokle-data (BROKLE_DATA_DIR).
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

engine="$(scripts/engine.sh --path 2>/dev/null || true)"
if [[ ! -x "$CARGO_TARGET_DIR/release/brokle" || ! -f "$engine" || ! -d web/node_modules ]]; then
  head_line "first start: about 15 minutes on two cores, and 4 GB of disk, once"
  say "  1. check that Rust, Node.js and a C compiler are there"
  say "  2. fetch the embedded ClickHouse engine: 178 MB, 566 MB unpacked, into $CACHE/engine"
  say "  3. fetch the web app's packages and build it: about 2 minutes"
  say "  4. fetch the crates and compile Brokle, optimised: about 10 minutes, into $CARGO_TARGET_DIR"
  say "  5. start it on http://127.0.0.1:${PORT:-8080}; the data goes to ${BROKLE_DATA_DIR:-$ROOT/brokle-data}"
fi
begin=$SECONDS
scripts/tools.sh
scripts/engine.sh
scripts/web.sh build
say "brokle: building"
cargo build --release --locked --bin brokle
say "brokle: starting (set-up took $(duration $((SECONDS - begin))))"
# Meant for the fetching above; the program refuses names that it does not know.
unset BROKLE_ENGINE_ARCHIVE
raise_file_limit
exec "$CARGO_TARGET_DIR/release/brokle" "$@"
