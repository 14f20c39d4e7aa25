"""Jobs that end while their X server starts: nothing of it stays, whoever is left to clean up."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deadline import eventually
from tests.support.script_run import ScriptRun, app


@pytest.fixture(params=["gui", "terminal"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[ScriptRun, Path]]:
    """A job whose X server listens at its socket, has not said so yet, and is not asked before it is killed.

    That of a terminal has just begun: its process is not known by name.
    """
    run = ScriptRun(tmp_path).tagged(app("bash", "-c", "exec sleep 1000", kind=request.param), bind="socket")
    run.change("-dpi 96 9>&5", "-dpi 96 9>/dev/null")
    run.change('&& kill -TERM "${qc_tree[@]}" && kill -CONT', "&& kill -KILL")
    if request.param == "terminal":
        run.change("for name in xpra xvfb; do", "for name in xpra; do")
    socket = Path(f"/tmp/.X11-unix/X{run.job.partition('.')[0]}")
    with run:
        eventually(socket.is_socket, 30, "the socket of the X server")
        yield run, socket


def test_an_end_while_the_x_server_starts_leaves_no_socket(opening: tuple[ScriptRun, Path]) -> None:
    run, socket = opening
    run.cancel()
    assert (run.ended() or {})["reason"] == "cancelled"
    eventually(lambda: not run.living(), what="the end of the job")
    assert not socket.exists()


def test_what_is_killed_while_its_x_server_starts_is_swept_up(opening: tuple[ScriptRun, Path], tmp_path: Path) -> None:
    run, socket = opening
    runtime = eventually(lambda: run.runtime, 10, "the runtime folder")
    run.look()
    assert run.process
    for number in (signal.SIGSTOP, signal.SIGKILL):  # neither may act on the other's death
        for pid in (run.pid("supervisor"), run.process.pid):
            os.kill(pid, number)
    run.exit_status()
    later = ScriptRun(tmp_path)
    with later.by_hand(app("bash", "-c", "exec sleep 1000")):
        later.ready()
        eventually(lambda: not runtime.exists(), what="the dead run's folder to be swept")
        assert not socket.exists()
