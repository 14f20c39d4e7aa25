"""At the end: who is still there is found, and what a killed X server left goes as soon as nobody listens there."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit
PIECES = Path(__file__).parents[2] / "jobscripts"
LOOKS = 10
CLEAR = f"""
source {PIECES}/processes.sh
source <(sed "s#/tmp/#$PWD/#g" {PIECES}/runtime.sh)
qc_nap() {{ echo nap; read -r _; }} # until we are told to go on
qc_clear_display 7
"""
# A process whose parent ends between the looks at both is the supervisor's from then on; its number comes first.
ORPHANED = f"""
source {PIECES}/processes.sh
first=$$
sleep 1000 & between=$!
sleep 1000 & child=$!
trap 'kill $between $child' EXIT
qc_stat() {{
  qc_ppid=1 qc_start=1
  case $1 in
    "$first") return 0 ;;
    "$between") return 1 ;;
    "$child") ((seen++)) && qc_ppid=$first || qc_ppid=$between ;;
    *) return 1 ;;
  esac
  return 0
}}
qc_search_tree "$first"
[[ "${{qc_tree[*]}}" == "$child" ]] && echo found
"""


@pytest.fixture
def tmp() -> Iterator[Path]:
    """A folder in place of /tmp, for the path of a socket has 107 bytes, with a dead X server's lock."""
    with tempfile.TemporaryDirectory(prefix="qc-x-") as place:
        (Path(place) / ".X11-unix").mkdir()
        with subprocess.Popen(["true"]) as dead:
            pass
        (Path(place) / ".X7-lock").write_text(f"{dead.pid:10}\n")
        yield Path(place)


def cleared(tmp: Path, looks: int) -> int:
    """How often it waited before it let go of a display at which somebody listens for so many looks."""
    naps = 0
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp}/.X11-unix/X7")
        listener.listen()
        pipe = subprocess.PIPE
        with subprocess.Popen(["bash", "-c", CLEAR], cwd=tmp, stdin=pipe, stdout=pipe, env={"HOME": str(tmp)}) as shell:
            assert shell.stdin
            assert shell.stdout
            while shell.stdout.readline():
                naps += 1
                if naps == looks:
                    listener.close()
                shell.stdin.write(b"\n")
                shell.stdin.flush()
    return naps


@pytest.mark.parametrize("looks", [1, LOOKS - 1])
def test_a_killed_x_server_that_seems_to_listen_for_a_moment_leaves_no_socket_and_no_lock(
    tmp: Path, looks: int
) -> None:
    assert cleared(tmp, looks) == looks
    assert [path.name for path in tmp.rglob("*")] == [".X11-unix"]


def test_a_display_at_which_somebody_listens_is_not_waited_for_longer_and_stays(tmp: Path) -> None:
    assert cleared(tmp, LOOKS) == LOOKS - 1
    assert (tmp / ".X11-unix/X7").is_socket()
    assert (tmp / ".X7-lock").exists()


def test_a_process_whose_parent_ends_during_the_search_is_found() -> None:
    done = subprocess.run(["bash", "-c", ORPHANED], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("found\n", "")
