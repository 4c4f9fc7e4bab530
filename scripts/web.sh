#!/usr/bin/env bash
# The web app under web/: packages, build, checks. Does nothing when nothing changed since the last time.
#
#   scripts/web.sh deps    npm ci, when package-lock.json or Node changed
#   scripts/web.sh build   deps, then web/dist, when a source changed
#   scripts/web.sh check   deps, then formatter, linter and types (npm run check)
#   scripts/web.sh test    deps, then unit tests (npm test)
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT/web" 2>/dev/null || die "there is no web/ directory in $ROOT; the checkout is incomplete, run: git checkout -- web"
stamps="$ROOT/.dev/stamps"
mkdir -p "$stamps"

deps() {
  local stamp="$stamps/web-deps" now
  [[ -f package-lock.json ]] || die "web/package-lock.json is missing; run: git checkout -- web/package-lock.json"
  now="$(cat package-lock.json package.json <(node --version) | sha256sum)"
  [[ -d node_modules && -f "$stamp" && "$(cat "$stamp")" == "$now" ]] && return 0
  say "web: installing packages (npm ci, about a minute)"
  rm -f "$stamp"
  npm ci --no-audit --no-fund --loglevel=error </dev/null >&2 || die "npm ci failed in web/ (see above): either the lock file does not fit package.json (npm install in web/ mends that), or the network or npm's registry setting is at fault (npm config get registry)"
  printf '%s\n' "$now" >"$stamp"
}

sources_hash() {
  find . \( -name node_modules -o -name dist -o -name coverage -o -name test-results -o -name playwright-report \) -prune -o \
    -type f ! -name '*.tsbuildinfo' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
}

build() {
  local stamp="$stamps/web-build" now
  now="$(sources_hash)"
  if [[ -f dist/index.html && -f "$stamp" && "$(cat "$stamp")" == "$now" ]]; then
    say "web: already built"
    return 0
  fi
  deps
  say "web: building"
  rm -f "$stamp"
  npm run build --loglevel=error </dev/null >&2 || die "the web app does not build (see above)"
  [[ -f dist/index.html ]] || die "the web build ended without web/dist/index.html"
  printf '%s\n' "$now" >"$stamp"
}

case "${1:-}" in
deps) deps ;;
build) build ;;
check)
  deps
  npm run check --loglevel=error </dev/null
  ;;
test)
  deps
  npm test --loglevel=error </dev/null
  ;;
*) die "usage: scripts/web.sh deps|build|check|test" ;;
esac
