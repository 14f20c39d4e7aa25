#!/bin/bash
# Runs all tests in two lanes side by side, because those on the cluster wait more than they compute; then the
# browser's, which have the machine to themselves.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
cluster=(tests/cluster tests/schedulers)
log=$(mktemp)
trap 'kill "$lane" 2>/dev/null; rm -f "$log"' EXIT

# A shell has its background commands ignore Ctrl-C, and with them whatever they start: these must not.
env --default-signal=INT,QUIT python -m pytest -m 'not e2e' --durations=15 -p no:cacheprovider "${cluster[@]}" >"$log" 2>&1 &
lane=$!
failed=0
python -m pytest -m 'not e2e' --durations=15 "${cluster[@]/#/--ignore=}" || failed=1
wait "$lane" || failed=1
cat "$log"
python -m pytest -m e2e --durations=15 || failed=1
exit "$failed"
