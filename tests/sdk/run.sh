#!/usr/bin/env bash
# Real clients against a standalone and against a server with a worker; what was stored is compared with what was sent,
# field by field. `make test` sets the environment (see scripts/test.sh). Arguments go to pytest:
#
#   tests/sdk/run.sh -k standalone
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
for name in BROKLE_BIN BROKLE_TEST_PYTHON BROKLE_TEST_DIR; do
  [[ -n "${!name:-}" ]] || { echo "error: $name is not set; run \`make test\`, or see the head of scripts/test.sh" >&2; exit 1; }
done
export PYTHONDONTWRITEBYTECODE=1
# In the place of this shell, so that a signal to the suite reaches the one who stops what was started.
exec "$BROKLE_TEST_PYTHON" -m pytest --rootdir "$here" -c "$here/pytest.ini" "$here" "$@"
