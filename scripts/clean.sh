#!/usr/bin/env bash
# `make clean`: removes what was built in this checkout and nothing else. Data is never touched: neither brokle-data nor what
# services keep under .dev, nor the caches that other clones share (their place is printed).
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
rm -rf web/dist web/node_modules web/coverage web/test-results web/playwright-report .dev/stamps
if [[ "$CARGO_TARGET_DIR" == "$CACHE/target" ]]; then
  # Shared with other clones: only our own crate goes, not the compiled dependencies.
  cargo clean --package brokle 2>/dev/null || true
  cargo clean --package brokle --release 2>/dev/null || true
else
  cargo clean 2>/dev/null || true
fi
say "clean. Kept: brokle-data, .dev, and the shared caches in $CACHE ($(du -sh "$CACHE" 2>/dev/null | cut -f1)); delete that directory to free them"
