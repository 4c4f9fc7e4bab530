#!/usr/bin/env bash
# The web app in a real browser: all of web/e2e against a standalone, and logging in, list and detail once more against a
# server with a worker. `make test` sets the environment (see scripts/test.sh). Arguments go to Playwright, for standalone only:
#
#   tests/browser/run.sh login
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)"
for name in BROKLE_BIN BROKLE_TEST_PYTHON BROKLE_TEST_CHROMIUM BROKLE_TEST_DIR; do
  [[ -n "${!name:-}" ]] || { echo "error: $name is not set; run \`make test\`, or see the head of scripts/test.sh" >&2; exit 1; }
done
[[ -x "$root/web/node_modules/.bin/playwright" ]] || { echo "error: the web app's packages are not installed; run: scripts/web.sh deps" >&2; exit 1; }
export PYTHONDONTWRITEBYTECODE=1 CHROMIUM_PATH="$BROKLE_TEST_CHROMIUM"
cd "$root/web"

# run KIND PLAYWRIGHT_ARGUMENTS...; in the background, so that a signal reaches this shell at once and from it the runner, which
# stops Playwright and the installation.
runner=''
trap '[[ -z "$runner" ]] || { kill -TERM "$runner" 2>/dev/null; wait "$runner" || true; }; exit 143' TERM HUP
trap '[[ -z "$runner" ]] || { kill -TERM "$runner" 2>/dev/null; wait "$runner" || true; }; exit 130' INT
run() {
  local kind="$1" code=0
  shift
  echo "browser: $kind"
  "$BROKLE_TEST_PYTHON" "$root/tests/support/installation.py" "$kind" --dir "$BROKLE_TEST_DIR/$kind" -- \
    node_modules/.bin/playwright test --output "$BROKLE_TEST_DIR/$kind/results" "$@" &
  runner=$!
  wait "$runner" || code=$?
  runner=''
  return "$code"
}

run standalone "$@"
(($# > 0)) || run split --grep 'logs in, remembers|arrives while the list is open|shows tree, conversation'
