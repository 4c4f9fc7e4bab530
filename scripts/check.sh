#!/usr/bin/env bash
# `make check`: everything CI looks at before it runs tests. Formatting, lints of both editions with warnings as errors,
# dependencies (bans, licences, sources), spelling, the web app's own checks, the scripts' syntax.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/stages.sh
source "$(dirname "${BASH_SOURCE[0]}")/stages.sh"
cd "$ROOT"
RUN_NAME='make check'

scripts_check() {
  local file
  for file in scripts/*.sh .ci/run; do bash -n "$file"; done
  if have shellcheck; then shellcheck -x scripts/*.sh .ci/run; else say "shellcheck is not installed: syntax only"; fi
}

stage 'tools' scripts/tools.sh --check
stage 'check tools' scripts/check-tools.sh
PATH="$CACHE/tools/bin:$PATH"
stage 'scripts' scripts_check
stage 'spelling' typos
stage 'format' cargo fmt --check
# The binary embeds web/dist, so there has to be one before Rust is compiled.
stage 'web build' scripts/web.sh build
stage 'web check' scripts/web.sh check
stage 'clippy, community' cargo clippy --locked --all-targets -- -D warnings
stage 'clippy, enterprise' cargo clippy --locked --all-targets --features enterprise -- -D warnings
# Advisories are left out: their database has to be fetched, and a build must not fail because of a vulnerability published
# this morning. `cargo deny check advisories` is for the release checklist.
stage 'dependencies' cargo deny --locked --all-features check bans licenses sources
