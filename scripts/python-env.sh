#!/usr/bin/env bash
# Prints the path of a Python that has the packages of a requirements file.
#
#   scripts/python-env.sh tests/sdk/requirements.txt
#
# The virtual environment lives in the user's cache, one per content of the file and version of Python, and is made when it is
# not there yet. It is only used once complete: an interrupted installation is begun again.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[[ $# -eq 1 && -f "$1" ]] || die "usage: scripts/python-env.sh REQUIREMENTS_FILE"

python="$(find_python)"
[[ -n "$python" ]] || die "no Python >= 3.10 with venv was found; install it with: $(sudo_hint)apt-get install -y python3 python3-venv"
key="$("$python" -c 'import sys; print(sys.version, sys.prefix)' | cat - "$1" | sha256sum | cut -c1-16)"
dir="$CACHE/python/$key"
mkdir -p "$CACHE/python"
exec 7>"$CACHE/python/$key.lock"
flock 7
if [[ ! -f "$dir/.complete" ]]; then
  say "python: installing $(grep -cE '^[A-Za-z]' "$1") packages of ${1#"$ROOT"/} into $dir"
  rm -rf "$dir"
  "$python" -m venv "$dir" >&2 || die "python -m venv failed (see above); install it with: $(sudo_hint)apt-get install -y python3-venv"
  "$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: -r "$1" >&2 </dev/null ||
    die "pip could not install $1 (see above); check the network and pip's index setting (pip config list)"
  touch "$dir/.complete"
fi
printf '%s\n' "$dir/bin/python"
