#!/usr/bin/env bash
# Makes sure that cargo-deny and typos are there, for `make check`. Prints the directory to put in front of PATH.
# What is missing goes into the user's cache, never into the system: typos as a wheel (seconds), cargo-deny compiled (minutes, once).
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

DENY=0.20.2 # the version installed when none is there
DENY_MIN=0.18
bin="$CACHE/tools/bin"
mkdir -p "$bin"
PATH="$bin:$PATH"

deny_version() { cargo-deny --version 2>/dev/null | cut -d' ' -f2; }
if ! version_ge "$(deny_version || echo 0)" "$DENY_MIN"; then
  begin=$SECONDS
  say "check: compiling cargo-deny $DENY into $CACHE/tools (4 minutes on two cores, once)"
  # It checks a few hundred crates: optimising it takes longer than it ever runs.
  env CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
    CARGO_TARGET_DIR="$CACHE/tools/target" \
    cargo install --quiet --locked "cargo-deny@$DENY" --root "$CACHE/tools" </dev/null >&2 ||
    die "cargo-deny could not be installed (see above); by hand: cargo install --locked cargo-deny"
  rm -rf "$CACHE/tools/target"
  say "check: cargo-deny ready in $(duration $((SECONDS - begin)))"
fi

python="$("$ROOT/scripts/python-env.sh" "$ROOT/scripts/requirements-check.txt")"
ln -sfn "$(dirname "$python")/typos" "$bin/typos"
printf '%s\n' "$bin"
