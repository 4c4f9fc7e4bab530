#!/usr/bin/env bash
# Checks that the tools needed to build Brokle are there and new enough. Names everything that is missing at once, each with
# the command that installs it. Installs one thing itself: the Rust version pinned in rust-toolchain.toml, when rustup is there.
#
#   scripts/tools.sh            what `make run` and `make build` need
#   scripts/tools.sh --check    also formatter and linter
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

RUST_MIN=1.95 NODE_MIN=20.19 NPM_MIN=10.0
RUST_PIN="$(sed -nE 's/^channel *= *"(.*)"/\1/p' rust-toolchain.toml)"

problems=()
rust_version='' node_version='' npm_version=''
# problem WHAT COMMAND...: one thing that is wrong, and the lines to type
problem() {
  local text="$1"
  shift
  for line in "$@"; do text+=$'\n'"      $line"; done
  problems+=("$text")
}

apt() { if have apt-get; then printf '%sapt-get update && %sapt-get install -y %s' "$(sudo_hint)" "$(sudo_hint)" "$*"; else printf 'install the package(s) %s with your package manager' "$*"; fi; }
# apt_candidate PACKAGE: the version apt would install, without epoch and revision
apt_candidate() { have apt-cache && apt-cache policy "$1" 2>/dev/null | sed -nE 's/^ *Candidate: ([0-9]+:)?([0-9.]+).*/\2/p'; }

check_rust() {
  if have rustup; then
    local install="rustup toolchain install $RUST_PIN --profile minimal --component clippy --component rustfmt"
    if [[ -z "${RUSTUP_TOOLCHAIN:-}" ]] && ! rustup toolchain list 2>/dev/null | grep -q "^$RUST_PIN"; then
      head_line "installing Rust $RUST_PIN, the version pinned in rust-toolchain.toml (about 250 MB, once)"
      # shellcheck disable=SC2086
      if ! $install >&2; then
        problem "Rust $RUST_PIN could not be installed by rustup (see above)" "$install" "or, to use a Rust >= $RUST_MIN you already have: export RUSTUP_TOOLCHAIN=stable"
        return
      fi
    fi
  elif ! have rustc || ! have cargo; then
    local rustup_line="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal && . \"\$HOME/.cargo/env\""
    if have curl; then problem "Rust is missing (>= $RUST_MIN is needed)" "$rustup_line"; else problem "Rust is missing (>= $RUST_MIN is needed)" "$(apt curl ca-certificates)" "$rustup_line"; fi
    return
  fi
  rust_version="$(rustc --version 2>/dev/null | cut -d' ' -f2 || true)"
  if [[ -z "$rust_version" ]]; then
    problem "rustc does not run: $(rustc --version 2>&1 | head -1)" "rustup toolchain install $RUST_PIN --profile minimal --component clippy --component rustfmt"
  elif ! version_ge "$rust_version" "$RUST_MIN"; then
    if have rustup; then
      problem "Rust $rust_version is too old (>= $RUST_MIN is needed)" "rustup toolchain install $RUST_PIN --profile minimal --component clippy --component rustfmt" "unset RUSTUP_TOOLCHAIN"
    else
      problem "Rust $rust_version is too old (>= $RUST_MIN is needed; distributions are often behind)" "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal && . \"\$HOME/.cargo/env\""
    fi
    return
  fi
  if [[ "${1:-}" == --check ]]; then
    cargo clippy --version >/dev/null 2>&1 || problem "clippy is missing" "rustup component add clippy"
    cargo fmt --version >/dev/null 2>&1 || problem "rustfmt is missing" "rustup component add rustfmt"
  fi
}

node_lines() {
  local candidate
  candidate="$(apt_candidate nodejs || true)"
  if [[ -n "$candidate" ]] && version_ge "$candidate" "$NODE_MIN"; then
    printf '%s\n' "$(apt nodejs npm)"
    version_ge "$(apt_candidate npm || true)" "$NPM_MIN" || printf '%snpm install -g npm@10' "$(sudo_hint)"
  else
    [[ -n "$candidate" ]] && printf '# your distribution has Node.js %s, which is too old; nvm installs a current one for your user:\n' "$candidate"
    have curl || printf '%s\n' "$(apt curl ca-certificates)"
    printf '%s' "curl -fsSL https://raw.githubusercontent.com/nvm-sh/nvm/v0.40.3/install.sh | bash && . \"\$HOME/.nvm/nvm.sh\" && nvm install 22"
  fi
}

check_node() {
  local lines
  if ! have node; then
    mapfile -t lines < <(node_lines)
    problem "Node.js is missing (>= $NODE_MIN is needed, for the web app and to fetch the engine)" "${lines[@]}"
    return
  fi
  node_version="$(node --version 2>/dev/null | tr -d v)"
  if ! version_ge "${node_version:-0}" "$NODE_MIN"; then
    mapfile -t lines < <(node_lines)
    problem "Node.js ${node_version:-of unknown version} is too old (>= $NODE_MIN is needed)" "${lines[@]}"
    return
  fi
  if ! have npm; then
    problem "npm is missing (>= $NPM_MIN is needed)" "$(apt npm)" "$(sudo_hint)npm install -g npm@10"
    return
  fi
  npm_version="$(npm --version 2>/dev/null || true)"
  version_ge "${npm_version:-0}" "$NPM_MIN" || problem "npm ${npm_version:-of unknown version} is too old (>= $NPM_MIN is needed)" "$(sudo_hint)npm install -g npm@10"
}

check_c() {
  if ! have cc; then
    problem "a C compiler is missing (cc; SQLite, zstd and the TLS library are C)" "$(apt build-essential)"
  elif ! printf '#include <stdlib.h>\nint main(void) { return 0; }\n' | cc -x c - -o /dev/null 2>/dev/null; then
    problem "the C compiler cannot build a program (headers of the C library missing?)" "$(apt build-essential)"
  fi
}

check_small() {
  local -A packages=([tar]=tar [gzip]=gzip [sha512sum]=coreutils [sha256sum]=coreutils [find]=findutils [awk]=mawk [sed]=sed)
  local tool missing=()
  for tool in "${!packages[@]}"; do have "$tool" || missing+=("${packages[$tool]}"); done
  ((${#missing[@]} == 0)) || problem "small tools are missing" "$(apt "${missing[@]}")"
}

check_rust "${1:-}"
check_node
check_c
check_small

if ((${#problems[@]} > 0)); then
  bad "error: ${#problems[@]} thing(s) to install first:"
  for p in "${problems[@]}"; do say "  - $p"; done
  say "Then run the same command again."
  exit 1
fi
say "tools: rustc $rust_version, node $node_version, npm $npm_version, cc $(cc -dumpversion)"
