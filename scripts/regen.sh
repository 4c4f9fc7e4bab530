#!/usr/bin/env bash
# The committed files that are generated from the code: the OpenAPI document, the configuration reference, the web app's API types.
#
#   scripts/regen.sh           write them
#   scripts/regen.sh --check   fail if a committed one differs from what the code gives
#
# BROKLE_BIN  the binary to ask; built when not set
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

if [[ -z "${BROKLE_BIN:-}" ]]; then
  # Without the web app: its build needs the very types that are written here.
  mkdir -p web/dist
  cargo build --locked --bin brokle
  BROKLE_BIN="$CARGO_TARGET_DIR/debug/brokle"
fi
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

"$BROKLE_BIN" openapi >"$work/openapi.json" || die "'brokle openapi' failed (see above)"
"$BROKLE_BIN" config docs >"$work/configuration.md" || die "'brokle config docs' failed (see above)"
files=(openapi.json:docs/generated/openapi.json configuration.md:docs/configuration.md)

if [[ "${1:-}" == --check ]]; then
  # The web app's types come from the committed document, so a change of the API shows up here too.
  types=web/src/api/schema.d.ts
  if [[ -f "$types" ]]; then
    scripts/web.sh deps
    (cd web && npx --no-install openapi-typescript "$work/openapi.json" --empty-objects-unknown -o "$work/schema.d.ts" >/dev/null) || die "the web app's API types could not be generated (see above)"
    files+=("schema.d.ts:$types")
  fi
  differ=0
  for pair in "${files[@]}"; do
    if ! diff -u "${pair#*:}" "$work/${pair%%:*}" >"$work/diff" 2>&1; then
      head -n 40 "$work/diff" >&2
      bad "${pair#*:} is not what the code gives"
      differ=1
    fi
  done
  ((differ == 0)) || die "run 'make regen' and commit the result"
  say "generated files are up to date"
  exit 0
fi

mkdir -p docs/generated
for pair in "${files[@]}"; do
  cat "$work/${pair%%:*}" >"${pair#*:}"
  say "written: ${pair#*:}"
done
scripts/web.sh deps
(cd web && npm run --if-present generate --loglevel=error </dev/null)
