#!/bin/bash
# Runs all tests in lanes side by side, because tests wait more than they compute: first three, then the browser's, which
# would starve beside them; the journey whose times are measured has the machine to itself. What failed is run once
# more, alone: a test that passes only then is named at the end with what it said first (tests/artefacts/reruns.txt), and
# is a fault to be found, but not the change's; with more than two of them a run fails in CI. Tests marked `long` run when
# their files have changed; all of them, and the full numbers of the others, with `make test-long`.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
logs=$(mktemp -d)
mkdir "$logs/first" "$logs/again"
lanes=()
declare -A statuses=()
trap 'kill "${lanes[@]}" 2>/dev/null; rm -rf "$logs"' EXIT

# Lane: pytest's arguments for it, in `chosen`.
choose() {
  local cluster=(tests/cluster tests/schedulers tests/jobscripts/test_churn.py)
  local doors=(tests/{bench,cli,doctor,fronts,http,mutants,proxy,relay,security,transports})
  local pages=(tests/e2e/test_{home,lab,viewer,viewer_places,vnc}.py)
  local nodes=(tests/e2e/test_cluster_*.py) # with the hub, in one lane: there is room for one cluster
  case $1 in
    cluster) chosen=(-m 'not e2e' "${cluster[@]}") ;;
    doors) chosen=(-m 'not e2e' "${doors[@]}") ;;
    rest) chosen=(-m 'not e2e' tests "${cluster[@]/#/--ignore=}" "${doors[@]/#/--ignore=}") ;;
    journey) chosen=(tests/e2e/test_journey.py) ;;
    pages) chosen=(-m e2e "${pages[@]}") ;;
    nodes) chosen=(-m e2e "${nodes[@]}" tests/hub) ;; # the hub leaves sessions behind, which go with its cluster
    others) chosen=(-m e2e tests --ignore=tests/hub --ignore=tests/e2e/test_journey.py "${nodes[@]/#/--ignore=}" "${pages[@]/#/--ignore=}") ;;
  esac
}

# Lane, folder for its failures, more arguments for pytest …. A shell has its background commands ignore Ctrl-C, and with
# them whatever they start: tests must not.
run() {
  choose "$1"
  exec env --default-signal=INT,QUIT python -m pytest -o cache_dir=".pytest_cache/$1" --durations=15 --long=changed \
    --failures "$logs/$2/$1" "${chosen[@]}" "${@:3}"
}

# Lane, other lanes …: runs all side by side; the first shows what it does, the others when all are through.
side_by_side() {
  local lane
  for lane in "${@:2}"; do
    run "$lane" first >"$logs/$lane" 2>&1 &
    lanes+=($!)
  done
  (run "$1" first)
  statuses[$1]=$?
  for lane in "${@:2}"; do
    wait "${lanes[0]}"
    statuses[$lane]=$?
    lanes=("${lanes[@]:1}")
    cat "$logs/$lane"
  done
}

# Lane: whether it passed, in the end. Of one that was broken off nobody knows what would have passed.
settle() {
  local status=${statuses[$1]}
  if [[ $status == 1 ]]; then
    printf '== once more, alone: what failed in the lane "%s"\n' "$1"
    (run "$1" again --last-failed --last-failed-no-failures none)
    status=$?
  fi
  if ((status > 1)); then
    printf '== the lane "%s" could not be run\n' "$1"
    rm -f "$logs/first/$1"
  fi
  return "$status"
}

rm -rf .pytest_cache
side_by_side rest cluster doors
side_by_side journey
side_by_side pages others nodes # the last one waits for the most part
failed=0
for lane in cluster doors rest journey pages others nodes; do settle "$lane" || failed=1; done
python -m tests.support.failures "$logs/first" "$logs/again" || failed=1
exit "$failed"
