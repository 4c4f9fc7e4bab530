#!/usr/bin/env bash
# Takes the pictures of the README, docs/images/traces.png and docs/images/trace.png, from a fresh standalone with the traces of
# `brokle demo`. Needs what `make test` needs: Python, Chromium, the engine and the packages of the web app.
#
#   scripts/screenshot.sh [DIRECTORY]     where the pictures go; default docs/images
#
# BROKLE_BIN: the binary to show; by default it is built (release, so that the pictures are of what is shipped).
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
images="${1:-$ROOT/docs/images}"
mkdir -p "$images"
images="$(cd "$images" && pwd -P)"

scripts/web.sh build
if [[ -z "${BROKLE_BIN:-}" ]]; then
  cargo build --release --locked --bin brokle
  BROKLE_BIN="$CARGO_TARGET_DIR/release/brokle"
fi
BROKLE_ENGINE_LIB="${BROKLE_ENGINE_LIB:-$(scripts/engine.sh --path)}"
CHROMIUM_PATH="$(find_chromium)"
python="$(find_python)"
[[ -n "$CHROMIUM_PATH" && -n "$python" ]] || die "Chromium and Python are needed; install them with: scripts/install-deps.sh"
export BROKLE_BIN BROKLE_ENGINE_LIB CHROMIUM_PATH

dir="$ROOT/.dev/screenshot"
rm -rf "$dir"
# shellcheck disable=SC2016 # the variables are those of the inner shell
PYTHONDONTWRITEBYTECODE=1 "$python" tests/support/installation.py standalone --dir "$dir" \
  --organization "Northwind Cycles" --project "Support and search" --email ada@northwind.example -- bash -euc '
  BROKLE_BASE_URL="$BROKLE_E2E_URL" BROKLE_API_KEY="$BROKLE_E2E_API_KEY" "$BROKLE_BIN" demo
  node scripts/screenshot.mjs "$1"' screenshot "$images"
rm -rf "$dir"
