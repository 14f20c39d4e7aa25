#!/bin/bash
# Runs all tests in lanes side by side, because most of them wait for programs and clusters more than they compute; then
# the browser's, which have the machine to themselves. Each lane's output is shown as a whole when the lane has ended.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
cluster=(tests/cluster tests/schedulers)
doors=(tests/cli tests/ssh tests/mutants tests/security)
logs=$(mktemp -d)
lanes=()
trap 'kill "${lanes[@]}" 2>/dev/null; rm -rf "$logs"' EXIT

lane() {
  local name=$1
  shift
  python -m pytest -m 'not e2e' --durations=15 -p no:cacheprovider "$@" >"$logs/$name" 2>&1 &
  lanes+=($!)
}

lane cluster "${cluster[@]}"
lane doors "${doors[@]}"
lane rest "${cluster[@]/#/--ignore=}" "${doors[@]/#/--ignore=}"
failed=0
for at in "${!lanes[@]}"; do wait "${lanes[at]}" || failed=1; done
lanes=()
for name in cluster doors rest; do
  printf '== %s\n' "$name"
  cat "$logs/$name"
done
python -m pytest -m e2e --durations=15 || failed=1
exit "$failed"
