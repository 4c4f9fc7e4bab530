#!/usr/bin/env bash
# `make build`: the optimised binary with the web app inside. FEATURES=enterprise builds the enterprise edition.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
scripts/tools.sh
scripts/web.sh build
cargo build --release --locked --bin brokle ${FEATURES:+--features "$FEATURES"}
say "built: $CARGO_TARGET_DIR/release/brokle"
