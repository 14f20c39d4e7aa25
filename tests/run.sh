#!/bin/bash
# Runs all tests in three lanes side by side, because tests wait more than they compute; then the browser's, which have
# the machine to themselves. What failed is run once more, alone: a test that passes only then is named by both runs,
# and is a fault to be found, but not the change's.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
cluster=(tests/cluster tests/schedulers)
doors=(tests/bench tests/cli tests/mutants tests/proxy tests/security tests/ssh)
rest=(tests "${cluster[@]/#/--ignore=}" "${doors[@]/#/--ignore=}")
logs=$(mktemp -d)
lanes=()
trap 'kill "${lanes[@]}" 2>/dev/null; rm -rf "$logs"' EXIT

# Lane, arguments for pytest …. A shell has its background commands ignore Ctrl-C, and with them whatever they start:
# tests must not.
run() {
  exec env --default-signal=INT,QUIT python -m pytest -o cache_dir=".pytest_cache/$1" --durations=15 "${@:2}"
}

# Status of the lane's run, lane, arguments as before: its status in the end.
settle() {
  [[ $1 == 0 ]] && return
  [[ $1 == 1 ]] || { printf '== the lane "%s" could not be run\n' "$2" && return "$1"; }
  printf '== once more, alone: what failed in the lane "%s"\n' "$2"
  (run "${@:2}" --last-failed --last-failed-no-failures none)
}

rm -rf .pytest_cache
run cluster -m 'not e2e' "${cluster[@]}" >"$logs/cluster" 2>&1 &
lanes+=($!)
run doors -m 'not e2e' "${doors[@]}" >"$logs/doors" 2>&1 &
lanes+=($!)
(run rest -m 'not e2e' "${rest[@]}")
rest_status=$?
wait "${lanes[0]}"
cluster_status=$?
wait "${lanes[1]}"
doors_status=$?
lanes=()
cat "$logs/cluster" "$logs/doors"
(run browser -m e2e)
browser_status=$?

failed=0
settle "$cluster_status" cluster -m 'not e2e' "${cluster[@]}" || failed=1
settle "$doors_status" doors -m 'not e2e' "${doors[@]}" || failed=1
settle "$rest_status" rest -m 'not e2e' "${rest[@]}" || failed=1
settle "$browser_status" browser -m e2e || failed=1
exit "$failed"
