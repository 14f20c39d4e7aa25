"""The embedded `local` scheduler: jobs as detached processes on this machine, for laptops and a first try.

It keeps no process of its own: each job has a runner (`runner`), and a job's folder is its state, so any number
of servers and the command line see the same jobs, and none is lost when they end.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from ...environment import job_environment
from ...errors import BadRequest, SchedulerFailed, SchedulerUnavailable
from ...values.job import Job, JobSpec
from .. import Queue
from .runner import (
    KILLED,
    STARTING_S,
    boot_id,
    end_session,
    finish,
    identity,
    lock,
    read_json,
    runner_lives,
    try_lock,
    write_json,
    write_private,
)
from .spool import SUFFIX, check, job_of, machine_memory, pbs_variables, request

KEEP_COMPLETED_S = 86400
"""Seconds for which a finished job is remembered."""
KEEP_UNFINISHED_S = 3600
"""Seconds after which a submission that its server did not live to finish is swept."""
LAUNCH_TIMEOUT_S = 10
T = TypeVar("T")


class LocalScheduler:
    """Queue, slots, hold, cancel and walltime of jobs on this machine."""

    name = "local"
    dialect = "pbs"
    cheap = True

    def __init__(self, state_dir: Path, *, max_running: int, queue: str = "local") -> None:
        self._root = state_dir / socket.gethostname()
        self._jobs = self._root / "jobs"
        self._done = self._root / "done"
        self._max_running = max_running
        self._queue = queue

    async def submit(self, script: str, spec: JobSpec, *, session: str, folder: Path) -> str:
        """Queues the job; raises BadRequest when it can never run here, SchedulerFailed when it cannot be written."""
        if not script.strip():
            raise SchedulerFailed("The job script is empty, so it was not submitted.")
        check(spec, self._queue)
        try:
            return await asyncio.to_thread(self._submit, script, spec, session, folder)
        except OSError as error:
            raise SchedulerFailed(
                f"The job could not be started from {self._root}: {error.strerror}. Make room there, then try again."
            ) from error

    async def query(self, job_ids: list[str]) -> dict[str, Job]:
        """The jobs of these ids, as far as they are remembered."""
        found = await self._answer(lambda: [self._find(job_id) for job_id in job_ids])
        return {job.id: job for job in found if job}

    async def mine(self) -> list[Job]:
        """All jobs that are remembered."""
        return await self._answer(self._all)

    async def cancel(self, job_id: str) -> None:
        """Cancels the job; one that is over or unknown counts as cancelled."""
        await self._answer(lambda: self._wish(job_id, "cancelled", True))

    async def hold(self, job_id: str) -> None:
        """Keeps a waiting job from starting."""
        await self._answer(lambda: self._wish(job_id, "held", True))

    async def release(self, job_id: str) -> None:
        """Lets a held job start."""
        await self._answer(lambda: self._wish(job_id, "held", False))

    async def queues(self) -> list[Queue]:
        """The one queue."""
        return [Queue(self._queue, max_cores=os.cpu_count(), max_memory=machine_memory(), default=True)]

    async def available(self, programs: tuple[str, ...]) -> dict[str, bool] | None:
        """Which of these programs are on a job's PATH."""
        path = job_environment().get("PATH")
        return await asyncio.to_thread(lambda: {name: shutil.which(name, path=path) is not None for name in programs})

    async def _answer(self, question: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(question)
        except OSError as error:
            raise SchedulerUnavailable(
                f"The jobs below {self._root} cannot be read or written: {error.strerror}. Check disk and quota."
            ) from error

    def _submit(self, script: str, spec: JobSpec, session: str, folder: Path) -> str:
        """Writes the whole job beside the queue, then moves it in: it is there entirely or not at all."""
        for path in (self._root.parent, self._root, self._jobs, self._done):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._prune()
        new = self._root / f"new-{secrets.token_hex(8)}"
        new.mkdir(mode=0o700)
        try:
            with lock(self._root / "number.lock"):
                number = self._next_number()
                self._write_job(new, number, script, spec, session, folder)
                new.rename(self._jobs / str(number))
            self._launch_or_withdraw(self._jobs / str(number), new)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        return f"{number}{SUFFIX}"

    def _next_number(self) -> int:
        """One more than any that was ever given, also when the counter did not survive a power cut."""
        known = read_json(self._root / "number.json")
        there = [int(path.name) for place in (self._jobs, self._done) for path in place.iterdir()] if not known else []
        number = int(known["last"] if known else max(there, default=0)) + 1
        write_json(self._root / "number.json", {"last": number})
        return number

    def _write_job(self, new: Path, number: int, script: str, spec: JobSpec, session: str, folder: Path) -> None:
        write_private(new / "script", script)
        write_private(new / "nodes", f"{socket.gethostname()}\n" * spec.cores)
        job = request(number, spec, queue=self._queue, max_running=self._max_running, session=session, folder=folder)
        environment = pbs_variables(job, self._jobs / str(number) / "nodes")
        write_json(new / "job.json", {**job, "environment": environment})

    def _launch_or_withdraw(self, folder: Path, out: Path) -> None:
        """A job whose runner cannot be started leaves the queue again: whoever submitted it is told so."""
        try:
            self._launch(folder)
        except OSError:
            folder.rename(out)
            raise

    def _launch(self, folder: Path) -> None:
        """Starts the job's runner, detached; its exit is nobody's business but its lock's."""
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

    def _find(self, job_id: str) -> Job | None:
        number = job_id.removesuffix(SUFFIX)
        if not re.fullmatch("[0-9]{1,10}", number):
            return None
        for _ in range(2):  # it may be put away between the two looks
            for folder in (self._jobs / number, self._done / number):
                with suppress(FileNotFoundError):
                    if job := self._read(folder):
                        return job
        return None

    def _all(self) -> list[Job]:
        places = [place for place in (self._jobs, self._done) if place.is_dir()]
        numbers = {folder.name for place in places for folder in place.iterdir()}
        return [job for number in numbers if (job := self._find(number))]

    def _read(self, folder: Path) -> Job | None:
        """The job in a folder; one whose runner has died is put in order first.

        Raises FileNotFoundError when the folder was put away meanwhile: what was read is not of one moment then.
        """
        asked = read_json(folder / "job.json")
        if asked is None:
            return None
        if folder.parent == self._jobs and not runner_lives(folder):
            self._recover(folder)
        started, ended = read_json(folder / "started.json"), read_json(folder / "ended.json")
        job = job_of(asked, started, ended, held=(folder / "held").exists())
        folder.stat()
        return job

    def _recover(self, folder: Path) -> None:
        """A job without a runner: one that never started gets a new one, one that did is ended and put away."""
        started = read_json(folder / "started.json")
        if started is None:
            if time.time() - folder.stat().st_mtime > STARTING_S:
                os.utime(folder)  # others who look do not launch one more
                self._launch(folder)
            return
        mine = try_lock(folder / "runner.lock")
        if mine:
            with mine:
                _end_leftovers(started)
                finish(folder, KILLED)

    def _wish(self, job_id: str, wish: str, on: bool) -> None:
        """Notes a wish in the job's folder and wakes its runner."""
        if not re.fullmatch(rf"[0-9]{{1,10}}({re.escape(SUFFIX)})?", job_id):
            raise BadRequest(f"{job_id[:40]!r} is not a job of the local scheduler.")
        folder = self._jobs / job_id.removesuffix(SUFFIX)
        with suppress(FileNotFoundError):
            write_private(folder / wish, "") if on else (folder / wish).unlink()
        runner = str((read_json(folder / "runner.json") or {}).get("process", ""))
        if runner and runner_lives(folder):
            pid = int(runner.partition(":")[0])
            if identity(pid) == runner:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)

    def _prune(self) -> None:
        """Forgets jobs that ended long ago, and what servers left that died while they submitted."""
        old = [(folder, KEEP_COMPLETED_S) for folder in self._done.iterdir()]
        old += [(folder, KEEP_UNFINISHED_S) for folder in self._root.glob("new-*")]
        for folder, keep in old:
            with suppress(FileNotFoundError):
                if time.time() - folder.stat().st_mtime > keep:
                    shutil.rmtree(folder, ignore_errors=True)


def _end_leftovers(started: dict[str, Any]) -> None:
    """Ends what a job whose runner died has left, unless its session's number is somebody else's by now.

    The kernel gives a number away only when no process and no session has it: a leader that is gone is no danger, one
    with another start time is.
    """
    if started["session"] and started["boot"] == boot_id():
        session = int(started["session"].partition(":")[0])
        if identity(session) in (started["session"], f"{session}:gone"):
            end_session(session, 0)
