"""The supervisor hears every event whole, however its waits and what happens meet."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit
PIECES = Path(__file__).parents[2] / "jobscripts"
EVENTS = 3000
HEAR = f"""
source {PIECES}/processes.sh
mkfifo never events || exit
exec 4<>never 5<>events
for ((i = 0; i < {EVENTS}; i++)); do
  printf 'missing %s\\n' "$i" >&5
  read -r -t 0.00$((RANDOM % 4)) _ <&4
  ((i % 100)) || read -r -t 0.05 _ <&4
done &
trap "kill $! 2>/dev/null" EXIT
heard=0 waited=0
while ((heard < {EVENTS})); do
  qc_take 1 || ((++waited > 5000)) || continue
  [[ $qc_what == missing && $qc_rc == "$heard" ]] || {{ echo "heard '$qc_what' '$qc_rc' instead of $heard"; exit 1; }}
  ((heard++))
done
qc_take 1 || echo "heard $heard, waited $((waited > 0))"
"""


def test_no_event_is_lost_or_torn_when_a_wait_ends_as_it_comes(tmp_path: Path) -> None:
    done = subprocess.run(["bash", "-c", HEAR], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == (f"heard {EVENTS}, waited 1\n", "")
