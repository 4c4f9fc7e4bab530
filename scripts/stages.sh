# shellcheck shell=bash
# shellcheck disable=SC2154 # the colours come from lib.sh
# Runs named stages one after the other, times them, and says at the end how each went. Sourced after lib.sh by check.sh and test.sh.

STAGES=() STAGE_TIMES=() STAGE_RESULTS=()
STAGE_CHILD=''

# stage NAME CMD...: run CMD (a program or a function); the first that fails ends the script
stage() {
  local name="$1" begin=$SECONDS code=0
  shift
  printf '\n%s==> %s%s\n' "$_bold" "$name" "$_reset" >&2
  STAGES+=("$name") STAGE_TIMES+=(0) STAGE_RESULTS+=(interrupted)
  # In a process group of its own and in the background: then a signal reaches this script at once, which ends the whole
  # group and still stops the services. In the foreground bash would wait for the command to end first.
  set -m
  "$@" </dev/null 8>&- &
  STAGE_CHILD=$!
  set +m
  wait "$STAGE_CHILD" || code=$?
  STAGE_CHILD=''
  STAGE_TIMES[-1]=$((SECONDS - begin))
  if ((code == 0)); then
    STAGE_RESULTS[-1]=passed
    good "stage passed: $name ($(duration "${STAGE_TIMES[-1]}"))"
  else
    STAGE_RESULTS[-1]=FAILED
    bad "stage FAILED: $name (exit code $code, $(duration "${STAGE_TIMES[-1]}"))"
    exit 1
  fi
}

# end_stage_child: what a signal has to do before anything else
end_stage_child() {
  local child="$STAGE_CHILD" i
  [[ -n "$child" ]] || return 0
  kill -TERM -- "-$child" 2>/dev/null || return 0
  for ((i = 0; i < 150; i++)); do
    kill -0 -- "-$child" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL -- "-$child" 2>/dev/null || true
}

# on_exit is called with the exit code; replace it in the script that has something to tidy up.
on_exit() { :; }

finish() {
  local code=$? i
  trap - EXIT
  # Tidying up must not be interrupted by an impatient second Ctrl-C.
  trap '' INT TERM HUP
  set +e
  on_exit "$code"
  printf '\n%-34s %-12s %s\n' stage result time
  for i in "${!STAGES[@]}"; do
    printf '%-34s %-12s %s\n' "${STAGES[i]}" "${STAGE_RESULTS[i]}" "$(duration "${STAGE_TIMES[i]}")"
  done
  if ((code == 0)); then
    printf '%s: all %d stages passed in %s\n' "$RUN_NAME" "${#STAGES[@]}" "$(duration "$SECONDS")"
  elif ((${#STAGES[@]} == 0)); then
    printf '%s: did not begin\n' "$RUN_NAME"
  else
    printf '%s: %s in stage "%s" after %s\n' "$RUN_NAME" "${STAGE_RESULTS[-1]}" "${STAGES[-1]}" "$(duration "$SECONDS")"
  fi
  exit "$code"
}
trap finish EXIT
trap 'end_stage_child; exit 130' INT
trap 'end_stage_child; exit 143' TERM HUP
