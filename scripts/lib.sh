# shellcheck shell=bash
# What the scripts share. Sourced, never run.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
HOME="${HOME:-$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6)}"
export HOME="${HOME:-/tmp}"

# A shell that is no login shell often does not have what rustup installed.
command -v cargo >/dev/null 2>&1 || [[ ! -x "$HOME/.cargo/bin/cargo" ]] || export PATH="$HOME/.cargo/bin:$PATH"

# One cache per user: compiled dependencies, the engine and helper tools outlive any one clone.
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/brokle"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$CACHE/target}"

if [[ -t 2 && -z "${NO_COLOR:-}" ]]; then
  _bold=$'\e[1m' _red=$'\e[31m' _green=$'\e[32m' _reset=$'\e[0m'
else
  _bold='' _red='' _green='' _reset=''
fi

say() { printf '%s\n' "$*" >&2; }
head_line() { printf '%s==> %s%s\n' "$_bold" "$*" "$_reset" >&2; }
good() { printf '%s%s%s\n' "$_green" "$*" "$_reset" >&2; }
bad() { printf '%s%s%s\n' "$_red" "$*" "$_reset" >&2; }
die() {
  bad "error: $*"
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# version_ge A B: is version A at least B? Both are dotted numbers; anything after the numbers is ignored.
version_ge() {
  local -a a b
  local i
  IFS=. read -ra a <<<"${1%%[!0-9.]*}"
  IFS=. read -ra b <<<"${2%%[!0-9.]*}"
  for ((i = 0; i < ${#b[@]}; i++)); do
    ((10#${a[i]:-0} > 10#${b[i]:-0})) && return 0
    ((10#${a[i]:-0} < 10#${b[i]:-0})) && return 1
  done
  return 0
}

# duration SECONDS: "42 s" or "3 min 07 s"
duration() {
  if (($1 < 60)); then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}

# raise_file_limit: databases keep many files open, and the usual soft limit is 1,024
raise_file_limit() {
  local hard
  hard="$(ulimit -Hn)"
  if [[ "$hard" == unlimited ]] || ((hard > 65536)); then hard=65536; fi
  [[ "$(ulimit -Sn)" == unlimited ]] || (($(ulimit -Sn) >= hard)) || ulimit -Sn "$hard" 2>/dev/null || true
}

# as_root CMD...: run as root, directly or through a sudo that asks nothing. Fails when neither is possible.
can_be_root() { [[ $(id -u) -eq 0 ]] || { have sudo && sudo -n true 2>/dev/null; }; }
as_root() { if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo -n -- "$@"; fi; }

# sudo_hint: what to put in front of a command that needs root, for messages
sudo_hint() { if [[ $(id -u) -eq 0 ]]; then printf ''; else printf 'sudo '; fi; }

# find_postgres: the directory that holds postgres, initdb and psql of the newest server found, or nothing
find_postgres() {
  local dir best='' best_version=0 version
  local -a dirs=()
  dir="$(command -v postgres 2>/dev/null || true)"
  [[ -n "$dir" ]] && dirs+=("$(dirname "$(readlink -f "$dir")")")
  for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin; do
    [[ -x "$dir/postgres" ]] && dirs+=("$dir")
  done
  for dir in "${dirs[@]}"; do
    [[ -x "$dir/postgres" && -x "$dir/initdb" ]] || continue
    version="$("$dir/postgres" --version 2>/dev/null | sed -E 's/[^0-9]*([0-9]+(\.[0-9]+)?).*/\1/')"
    if [[ -z "$best" ]] || ! version_ge "$best_version" "$version"; then
      best="$dir" best_version="$version"
    fi
  done
  [[ -n "$best" ]] && printf '%s %s\n' "$best" "$best_version"
}

# find_redis: path and version of the Redis (or Valkey) server, or nothing
find_redis() {
  local bin version
  for bin in redis-server valkey-server; do
    bin="$(command -v "$bin" 2>/dev/null || true)"
    [[ -n "$bin" ]] || continue
    version="$("$bin" --version 2>/dev/null | sed -nE 's/.*v=([0-9.]+).*/\1/p')"
    printf '%s %s\n' "$bin" "${version:-0}"
    return 0
  done
}

# find_chromium: a Chromium that Playwright can drive, or nothing. First those in PATH, then those that Playwright has fetched.
find_chromium() {
  local bin
  local -a fetched
  mapfile -t fetched < <(printf '%s\n' "${PLAYWRIGHT_BROWSERS_PATH:-${XDG_CACHE_HOME:-$HOME/.cache}/ms-playwright}"/chromium-*/chrome-linux*/chrome | sort -Vr)
  for bin in "${BROKLE_TEST_CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome "${fetched[@]}"; do
    [[ -n "$bin" ]] || continue
    bin="$(command -v "$bin" 2>/dev/null || true)"
    # Ubuntu's chromium-browser without snap is a script that only prints how to install the snap.
    if [[ -n "$bin" ]] && "$bin" --version >/dev/null 2>&1; then
      printf '%s\n' "$bin"
      return 0
    fi
  done
}

# find_python: a Python >= 3.10 that can make virtual environments, or nothing
find_python() {
  local bin
  for bin in "${BROKLE_TEST_PYTHON_BASE:-}" python3 /usr/bin/python3 python3.13 python3.12 python3.11 python3.10; do
    [[ -n "$bin" ]] || continue
    bin="$(command -v "$bin" 2>/dev/null || true)"
    [[ -n "$bin" ]] || continue
    if "$bin" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then
      printf '%s\n' "$bin"
      return 0
    fi
  done
}
