"""Starts the runner of a job, wakes it, and ends what one that died has left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...environment import job_environment
from ...processes import boot_id, end_session, identity
from .runner import read_json, runner_lives

LAUNCH_TIMEOUT_S = 10


def launch(folder: Path) -> None:
    """Starts the runner of the job in this folder, detached; its exit is nobody's business but its lock's."""
    runner = str(Path(__file__).with_name("runner.py"))
    shell = subprocess.Popen(
        ["/bin/sh", "-c", '"$@" &', "sh", sys.executable, "-IS", runner, str(folder)],
        env=job_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    with suppress(subprocess.TimeoutExpired):  # the machine is very slow; the next question looks after the job
        shell.wait(LAUNCH_TIMEOUT_S)


def wake(folder: Path) -> None:
    """Wakes the runner of a job, if it lives."""
    runner = str((read_json(folder / "runner.json") or {}).get("process", ""))
    pid = runner.partition(":")[0]
    if pid.isdigit() and runner_lives(folder) and identity(int(pid)) == runner:
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGTERM)


def end_leftovers(started: dict[str, Any]) -> None:
    """Ends what a job whose runner died has left, unless its session's number is somebody else's by now.

    The kernel gives a number away only when no process and no session has it: a leader that is gone is no danger, one
    with another start time is.
    """
    if started["session"] and started["boot"] == boot_id():
        session = int(started["session"].partition(":")[0])
        if identity(session) in (started["session"], f"{session}:gone"):
            end_session(session, 0)
