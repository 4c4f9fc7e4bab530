#!/usr/bin/env bash
# `make bench-login`: how long requests take while a thousand wrong sign-ins come from fifty connections, with the optimised binary.
#
# Fetches nothing but crates. The process runs on a private port with data in a directory of its own; it is stopped at the end.
# Run it on a machine that does nothing else.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

DIR="$ROOT/.dev/bench-login"
mkdir -p "$DIR"
exec 8>"$DIR.lock"
flock -n 8 || die "another 'make bench-login' runs in this checkout"

engine="$(scripts/engine.sh --path)"
[[ -f "$engine" ]] || die "the ClickHouse engine is not there ($engine); fetch it with: make engine"

# Built as it is shipped.
cargo build --release --locked --bin brokle
mkdir -p "$DIR/bin"
# A copy: building the benchmark builds the binary again, with the features that the tests' crates turn on.
cp --remove-destination "$CARGO_TARGET_DIR/release/brokle" "$DIR/bin/brokle"
bench="$(cargo bench --locked --bench login --no-run --message-format=json 2>/dev/null | sed -nE 's/.*"name":"login".*"executable":"([^"]+)".*/\1/p' | tail -1)"
[[ -n "$bench" ]] || cargo bench --locked --bench login --no-run
[[ -x "$bench" ]] || die "the benchmark was not built (see above)"

export BROKLE_BIN="$DIR/bin/brokle" BROKLE_ENGINE_LIB="$engine"
exec "$bench"
