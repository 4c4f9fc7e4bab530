#!/usr/bin/env bash
# Installs what the tests need from the distribution (Debian, Ubuntu): Postgres, Redis, Chromium, Python's venv.
# As root, or with a sudo that asks for no password, it installs; else it names the commands and exits 1.
#
# Ubuntu has Chromium only as a snap, which neither works in containers nor can be driven from everywhere: there Playwright
# fetches the Chromium of its own version into the user's cache, and the libraries it needs from the distribution.
#
# The tests start their own servers on private ports (scripts/services.sh), so the system services that these packages bring are
# neither started now nor enabled for the next boot. Services that were there before are left as they are.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

POSTGRES_MIN=13 REDIS_MIN=6.2
packages=() units=() too_old=()
need_chromium=false

read -r _ version <<<"$(find_postgres) "
if [[ -z "${version// /}" ]]; then
  packages+=(postgresql)
  units+=(postgresql.service)
elif ! version_ge "$version" "$POSTGRES_MIN"; then
  too_old+=("Postgres $version was found, >= $POSTGRES_MIN is needed: install a newer server; every version under /usr/lib/postgresql is found")
fi
read -r _ version <<<"$(find_redis) "
if [[ -z "${version// /}" ]]; then
  packages+=(redis-server)
  units+=(redis-server.service)
elif ! version_ge "$version" "$REDIS_MIN"; then
  too_old+=("Redis $version was found, >= $REDIS_MIN is needed (7 or newer recommended): put a newer redis-server first in PATH")
fi
ubuntu=false
# shellcheck disable=SC1091
[[ -r /etc/os-release ]] && (. /etc/os-release && [[ "${ID:-}" == ubuntu ]]) && ubuntu=true
if [[ -z "$(find_chromium)" ]]; then
  if $ubuntu; then need_chromium=true; else packages+=(chromium); fi
fi
[[ -n "$(find_python)" ]] || packages+=(python3 python3-venv)
have setsid || packages+=(util-linux)
have flock || packages+=(util-linux)

if ((${#too_old[@]} > 0)); then
  bad "error: these have to be solved by you:"
  printf '  - %s\n' "${too_old[@]}" >&2
fi
if ((${#packages[@]} == 0)) && ! $need_chromium; then
  ((${#too_old[@]} == 0)) || exit 1
  read -r _ pg <<<"$(find_postgres)"
  read -r _ redis <<<"$(find_redis)"
  say "test services: Postgres $pg, Redis $redis, $(find_chromium), $(find_python)"
  exit 0
fi

# What to type, one line each.
by_hand=()
if ((${#packages[@]} > 0)); then
  mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
  by_hand+=("$(sudo_hint)apt-get update && $(sudo_hint)apt-get install -y --no-install-recommends ${packages[*]}")
fi
if $need_chromium; then by_hand+=("(cd web && npm ci && npx playwright-core install --with-deps chromium)"); fi
if ! have apt-get; then
  die "the tests need ${packages[*]}; this is not Debian or Ubuntu, so install them with your package manager and run again"
fi
if ! can_be_root; then
  bad "error: the tests need packages that are not installed, and only root can install them:"
  printf '      %s\n' "${by_hand[@]}" >&2
  exit 1
fi
((${#too_old[@]} == 0)) || { printf '  and: %s\n' "${by_hand[@]}" >&2; exit 1; }

policy=/usr/sbin/policy-rc.d made_policy=false
restore() { if $made_policy; then as_root rm -f "$policy"; fi; }
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

run_apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2; }

install_packages() {
  head_line "installing ${packages[*]} (as root, from the distribution; a few minutes)"
  if [[ ! -e "$policy" ]]; then
    # Debian's own way to say "install, but start no service". Only for as long as this script runs.
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 0755 "$policy"
    made_policy=true
  fi
  run_apt update || die "apt-get update failed (see above); mend it, then run: ${by_hand[0]}"
  run_apt install -y --no-install-recommends "${packages[@]}" || die "apt-get install failed (see above); mend it, then run: ${by_hand[0]}"
  if [[ -d /run/systemd/system ]] && ((${#units[@]} > 0)); then
    as_root systemctl disable "${units[@]}" >/dev/null 2>&1 || true
    say "the services that came with them (${units[*]}) are neither running nor enabled; 'systemctl enable --now' does that if you want them"
  fi
  good "installed: ${packages[*]}"
}

fetch_chromium() {
  local else_chrome="install Google Chrome's .deb or 'snap install chromium', and set BROKLE_TEST_CHROMIUM=/path/to/it if it is not in PATH"
  head_line "fetching Chromium with Playwright (about 200 MB, into the user's cache; its libraries as root, from the distribution)"
  have npm || die "npm is missing, and Playwright, which fetches Chromium, comes by it; see scripts/tools.sh for how to install it, or $else_chrome"
  "$ROOT/scripts/web.sh" deps
  (cd "$ROOT/web" && npx --no-install playwright-core install --with-deps --no-shell --no-remove chromium </dev/null >&2) ||
    die "Playwright could not install Chromium (see above); mend it and run again, or $else_chrome"
  [[ -n "$(find_chromium)" ]] || die "the Chromium that Playwright has fetched does not start; $else_chrome"
  good "fetched: $(find_chromium)"
}

if ((${#packages[@]} > 0)); then install_packages; fi
if $need_chromium; then fetch_chromium; fi
