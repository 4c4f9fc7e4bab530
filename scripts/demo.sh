#!/usr/bin/env bash
# `make demo`: sends example traces to the Brokle that `make run` has started in this checkout. Arguments go to `brokle demo`.
#
# BROKLE_API_KEY   the key of the project that gets them; else the one in first-start.txt, which the first start writes when it
#                  has no terminal to show the key on; else it is asked for
# BROKLE_BASE_URL  where Brokle listens, by default http://127.0.0.1:8080 (PORT)
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

brokle="$CARGO_TARGET_DIR/release/brokle"
[[ -x "$brokle" ]] || die "Brokle is not built yet; start it with: make run"
if [[ -z "${BROKLE_BASE_URL:-}" ]]; then
  port="${PORT:-8080}"
  export BROKLE_BASE_URL="http://127.0.0.1:$port"
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || die "nobody listens on $BROKLE_BASE_URL; start Brokle in another terminal with: make run"
fi

key="${BROKLE_API_KEY:-}"
first_start="${BROKLE_DATA_DIR:-brokle-data}/first-start.txt"
if [[ -z "$key" && -r "$first_start" ]]; then
  key="$(sed -nE 's/^ *API key +(bk_[A-Za-z0-9]+)$/\1/p' "$first_start")"
  [[ -z "$key" ]] || say "demo: using the API key in $first_start"
fi
if [[ -z "$key" && -t 0 ]]; then
  read -rp "API key that the first start of Brokle has shown (bk_...): " key
fi
[[ -n "$key" ]] || die "no API key; give the one that the first start of Brokle has shown: make demo BROKLE_API_KEY=bk_..."
BROKLE_API_KEY="$key" exec "$brokle" demo "$@"
