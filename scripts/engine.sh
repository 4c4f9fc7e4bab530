#!/usr/bin/env bash
# Fetches the embedded ClickHouse engine (libchdb.so) that the standalone role and `brokle engine` load.
#
#   scripts/engine.sh          fetch unless it is already there
#   scripts/engine.sh --path   only print where the library is, or would be
#
# BROKLE_ENGINE_LIB      a library you already have; nothing is fetched
# BROKLE_ENGINE_ARCHIVE  the package file already downloaded (machines without network); its checksum is checked all the same
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

platform() {
  local libc=gnu
  if [[ "$(uname -s)" == Linux ]]; then
    getconf GNU_LIBC_VERSION >/dev/null 2>&1 || libc=musl
    printf 'linux-%s-%s' "$(uname -m)" "$libc"
  else
    printf '%s-%s' "$(uname -s | tr '[:upper:]' '[:lower:]')" "$(uname -m)"
  fi
}

if [[ -n "${BROKLE_ENGINE_LIB:-}" ]]; then
  [[ -f "$BROKLE_ENGINE_LIB" ]] || die "BROKLE_ENGINE_LIB is $BROKLE_ENGINE_LIB, and there is no such file; correct it, or unset it to use the pinned engine"
  if [[ "${1:-}" == --path ]]; then printf '%s\n' "$BROKLE_ENGINE_LIB"; else say "engine: using $BROKLE_ENGINE_LIB (BROKLE_ENGINE_LIB)"; fi
  exit 0
fi

platform="$(platform)"
package='' version='' bytes='' sum=''
while read -r p_platform p_package p_version p_bytes p_sum; do
  if [[ "$p_platform" == "$platform" ]]; then
    package="$p_package" version="$p_version" bytes="$p_bytes" sum="$p_sum"
  fi
done < <(grep -vE '^\s*(#|$)' "$ROOT/scripts/engine.lock")

if [[ -z "$package" ]]; then
  bad "error: no pinned engine for this platform ($platform)"
  say "  The standalone role needs the embedded ClickHouse engine, which is pinned for: $(awk '!/^[[:space:]]*(#|$)/ {print $1}' "$ROOT/scripts/engine.lock" | paste -sd' ')."
  say "  What you can do: run APP_MODE=server and APP_MODE=worker against a ClickHouse server (deploy/compose.full.yml),"
  say "  or point BROKLE_ENGINE_LIB at a libchdb you built or installed yourself."
  exit 1
fi

dir="$CACHE/engine/$version"
lib="$dir/libchdb.so"
if [[ "${1:-}" == --path ]]; then
  printf '%s\n' "$lib"
  exit 0
fi
if [[ -f "$lib" && "$(stat -c %s "$lib")" == "$bytes" ]]; then
  say "engine: already there ($lib)"
  exit 0
fi

for tool in tar gzip sha512sum; do have "$tool" || die "$tool is missing; install it with: $(sudo_hint)apt-get install -y tar gzip coreutils"; done
mkdir -p "$CACHE/engine"
need_kb=$((1100 * 1024))
free_kb="$(df -Pk "$CACHE/engine" | awk 'NR==2 {print $4}')"
((free_kb >= need_kb)) || die "$((free_kb / 1024)) MB free under $CACHE/engine, and about 1,100 MB are needed while unpacking; free some space, or set XDG_CACHE_HOME to a larger disk"

# Work in a directory of our own on the same file system, so that the last step is one rename:
# a killed run leaves no half library, and two runs at once cannot disturb each other.
work="$(mktemp -d "$CACHE/engine/.fetch.XXXXXX")"
child=''
cleanup() {
  [[ -n "$child" ]] && kill "$child" 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

megabytes() { awk -v b="$1" 'BEGIN {printf "%.0f", b / 1e6}'; }

archive="${BROKLE_ENGINE_ARCHIVE:-}"
if [[ -n "$archive" ]]; then
  [[ -f "$archive" ]] || die "BROKLE_ENGINE_ARCHIVE is $archive, and there is no such file"
else
  have npm || die "npm is missing, and the engine comes as an npm package; run scripts/tools.sh to see how to install it"
  head_line "fetching the embedded ClickHouse engine $version (178 MB to fetch, 566 MB unpacked, once per user)"
  # npm has no progress display for this. It streams what it receives into its cache, so a cache of our own, thrown away
  # afterwards, shows how far it is; and no second copy of the package stays behind in ~/.npm.
  (cd "$work" && exec npm pack "$package@$version" --pack-destination "$work" --cache "$work/npm-cache" \
    --ignore-scripts --loglevel=error --fetch-timeout=1800000 \
    --fetch-retries=3 --fetch-retry-mintimeout=2000 --fetch-retry-maxtimeout=8000 >"$work/npm.out" 2>"$work/npm.err" </dev/null) &
  child=$!
  begin=$SECONDS last=-1
  while kill -0 "$child" 2>/dev/null; do
    sleep 0.5
    elapsed=$((SECONDS - begin))
    ((elapsed == last)) && continue
    last=$elapsed
    received="$(find "$work/npm-cache" -type f -size +1024k -printf '%s\n' 2>/dev/null | sort -n | tail -1 || true)"
    line="engine: $(megabytes "${received:-0}") of 178 MB received, $(duration "$elapsed")"
    ((${received:-0} == 0 && elapsed > 8)) && line+=" (nothing yet: the registry may be out of reach, npm is trying again)"
    if [[ -t 2 ]]; then printf '\r\e[K%s' "$line" >&2; elif ((elapsed % 10 == 0 && elapsed > 0)); then say "$line"; fi
  done
  [[ -t 2 ]] && printf '\r\e[K' >&2
  code=0
  wait "$child" || code=$?
  child=''
  if ((code != 0)); then
    sed 's/^/  /' "$work/npm.err" >&2
    die "npm could not fetch $package@$version; check the network and npm's registry setting (npm config get registry), then run: make engine"
  fi
  archive="$(find "$work" -maxdepth 1 -name '*.tgz' | head -1)"
  [[ -n "$archive" ]] || die "npm said it fetched $package@$version but left no file; run: make engine"
  rm -rf "$work/npm-cache"
  say "engine: received in $(duration $((SECONDS - begin))), checking and unpacking"
fi

actual="$(sha512sum "$archive" | cut -d' ' -f1)"
[[ "$actual" == "$sum" ]] || die "the engine package does not have the pinned SHA-512 (got $actual, scripts/engine.lock says $sum); it was not installed, so fetch it again, and if it stays different do not use it"

mkdir "$work/new"
tar -xzf "$archive" -C "$work/new" --strip-components=1 --no-same-owner package/libchdb.so package/package.json
[[ "$(stat -c %s "$work/new/libchdb.so")" == "$bytes" ]] || die "the unpacked library is not $bytes bytes; the disk may be full (df -h $CACHE)"
chmod 0755 "$work/new" "$work/new/libchdb.so"
sync "$work/new/libchdb.so"

if [[ -e "$dir" ]] && ! [[ -f "$lib" && "$(stat -c %s "$lib")" == "$bytes" ]]; then
  mv -T "$dir" "$work/old"
fi
# Fails only if another run finished first, and then its library is as good as ours.
mv -T "$work/new" "$dir" 2>/dev/null || [[ -f "$lib" ]] || die "could not move the library to $dir"
good "engine: ready ($lib)"
