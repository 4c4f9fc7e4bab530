#!/usr/bin/env bash
# Captures what real SDKs send, as test data: tests/fixtures/otlp/captured.
#
#   scripts/capture-fixtures.sh            # all
#   scripts/capture-fixtures.sh vercel     # some
#
# Installs the current versions of the SDKs into the user's cache, runs each against a mock provider on the loopback, and writes
# what it exports with ids, times, ports and paths made the same on every machine. Look at the difference before you commit it:
# what changed there, changed for users. Then see what became of it: cargo insta review.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
here="$ROOT/scripts/capture-fixtures"
out="$ROOT/tests/fixtures/otlp/captured"
node="$CACHE/node/capture-fixtures"

mkdir -p "$node"
cp "$here/package.json" "$node/"
(cd "$node" && npm install --no-audit --no-fund --silent)

# SDKs whose dependencies do not get along have environments of their own.
declare -A sdks=(
  [requirements.txt]="openinference traceloop langfuse brokle pydantic-ai litellm vercel openinference-js"
  [requirements-genai.txt]="genai"
  [requirements-openlit.txt]="openlit"
  [requirements-langchain.txt]="openinference-langchain traceloop-langchain"
  [requirements-logfire.txt]="logfire"
)
for file in "${!sdks[@]}"; do
  wanted=()
  for sdk in ${sdks[$file]}; do
    if [[ $# -eq 0 || " $* " == *" $sdk "* ]]; then wanted+=("$sdk"); fi
  done
  [[ ${#wanted[@]} -gt 0 ]] || continue
  python="$("$ROOT/scripts/python-env.sh" "$here/$file")"
  "$python" "$here/capture.py" "$out" "$node" "${wanted[@]}"
done
