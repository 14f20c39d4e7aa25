#!/bin/bash
# Stands on PATH as qsub, qstat, …: writes down the call, plays the fault that a test has set for it, if any, and
# otherwise hands over to the engine. A fault is a piece of bash in $QC_BATCH/faults/<program>; it sees the call's
# arguments, and `engine` runs the real thing.
set -u
QC_BATCH=$(cd "$(dirname "$0")/.." && pwd)
program=${0##*/}
printf '%s %s %s\n' "$EPOCHREALTIME" "$$" "$program $*" >>"$QC_BATCH/calls"
engine() {
  "$QC_BATCH/python" -IS "$QC_BATCH/engine.py" "$QC_BATCH" "$program" "$@"
}
fault=$QC_BATCH/faults/$program
if [[ -s $fault && ${1-} != --version ]]; then
  # shellcheck source=/dev/null # written by the test
  . "$fault"
fi
exec "$QC_BATCH/python" -IS "$QC_BATCH/engine.py" "$QC_BATCH" "$program" "$@"
