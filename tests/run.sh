#!/bin/bash
# Runs all tests in two lanes side by side, because those on the cluster wait more than they compute; then the
# browser's, which have the machine to themselves. What failed is run once more, alone: a test that passes only then
# is named by both runs, and is a fault to be found, but not the change's.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
cluster=(tests/cluster tests/schedulers)
others=("${cluster[@]/#/--ignore=}")
log=$(mktemp)
lane=
trap 'kill $lane 2>/dev/null; rm -f "$log"' EXIT

# Lane, arguments for pytest …. A shell has its background commands ignore Ctrl-C, and with them whatever they start:
# tests must not.
run() {
  env --default-signal=INT,QUIT python -m pytest -o cache_dir=".pytest_cache/$1" --durations=15 "${@:2}"
}

# Status of the lane's run, lane, arguments as before: its status in the end.
settle() {
  [[ $1 == 1 ]] || return "$1"
  printf '== once more, alone: what failed in the lane "%s"\n' "$2"
  run "${@:2}" --last-failed --last-failed-no-failures none
}

rm -rf .pytest_cache
run cluster -m 'not e2e' "${cluster[@]}" >"$log" 2>&1 &
lane=$!
run others -m 'not e2e' "${others[@]}"
others_status=$?
wait "$lane"
cluster_status=$?
lane=
cat "$log"
run browser -m e2e
browser_status=$?

failed=0
settle "$cluster_status" cluster -m 'not e2e' "${cluster[@]}" || failed=1
settle "$others_status" others -m 'not e2e' "${others[@]}" || failed=1
settle "$browser_status" browser -m e2e || failed=1
exit "$failed"
