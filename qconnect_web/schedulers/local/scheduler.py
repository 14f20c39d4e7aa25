"""The embedded `local` scheduler: jobs as detached processes on this machine, for laptops and a first try.

It keeps no process of its own: each job has a runner (`runner`), and a job's folder is its state, so any number
of servers and the command line see the same jobs, and none is lost when they end. Folders that anybody else could
have made or changed are told by their path, and nothing in them is run (`places`).
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ...environment import job_environment
from ...errors import BadRequest, Forbidden, SchedulerFailed, SchedulerUnavailable
from ...values.job import Job, JobSpec, JobState
from .. import More, Queue, unrationed
from .launch import end_leftovers, launch, wake
from .places import Places, check_job, make, opened
from .runner import (
    KILLED,
    STARTING_S,
    finish,
    lock,
    places_taken,
    read_json,
    runner_lives,
    try_lock,
    write_json,
    write_private,
)
from .spool import SUFFIX, check, job_of, machine, pbs_variables, request, waiting

KEEP_COMPLETED_S = 86400
"""Seconds for which a finished job is remembered."""
KEEP_UNFINISHED_S = 3600
"""Seconds after which a submission that its server did not live to finish is swept."""
NUMBER = re.compile("[0-9]{1,10}")
T = TypeVar("T")


class LocalScheduler:
    """Queue, slots, hold, cancel and walltime of jobs on this machine."""

    name = "local"
    dialect = "pbs"
    cheap = True
    ignores = frozenset({"account", "gpu_type", "mail", "native"})

    def __init__(self, state_dir: Path, *, max_running: int, queue: str = "local") -> None:
        self._root = state_dir / socket.gethostname()
        self._max_running = max_running
        self._queue = queue

    async def submit(self, script: str, spec: JobSpec, *, session: str, folder: Path) -> str:
        """Queues the job; raises BadRequest when it can never run here, SchedulerFailed when it cannot be written."""
        if not script.strip():
            raise SchedulerFailed("The job script is empty, so it was not submitted.")
        check(spec, self._queue)
        try:
            return await asyncio.to_thread(self._submit, script, spec, session, folder)
        except Forbidden as error:
            raise SchedulerFailed(f"Nothing was started. {error.message}", reason=error.reason) from error
        except OSError as error:
            raise SchedulerFailed(
                f"The job could not be started from {self._root}: {error.strerror}. Make room there, then try again."
            ) from error

    async def query(self, job_ids: list[str], more: More = unrationed) -> dict[str, Job]:
        """The jobs of these ids, as far as they are remembered."""
        return await self._answer(lambda places: self._these(places, job_ids), {})

    async def mine(self, more: More = unrationed) -> list[Job]:
        """All jobs that are remembered."""
        return await self._answer(self._all, [])

    async def cancel(self, job_id: str) -> None:
        """Cancels the job; one that is over or unknown counts as cancelled."""
        await self._wish(job_id, "cancelled", True)

    async def hold(self, job_id: str) -> None:
        """Keeps a waiting job from starting."""
        await self._wish(job_id, "held", True)

    async def release(self, job_id: str) -> None:
        """Lets a held job start."""
        await self._wish(job_id, "held", False)

    async def queues(self, more: More = unrationed) -> list[Queue]:
        """The one queue."""
        return [await self._answer(self._machine, machine(self._queue, [], 0, self._max_running))]

    async def available(self, programs: tuple[str, ...]) -> dict[str, bool] | None:
        """Which of these programs are on a job's PATH."""
        path = job_environment().get("PATH")
        return await asyncio.to_thread(lambda: {name: shutil.which(name, path=path) is not None for name in programs})

    async def _answer(self, question: Callable[[Places], T], nothing: T) -> T:
        """What the places tell; `nothing` where there are none yet."""

        def ask() -> T:
            with suppress(FileNotFoundError), opened(self._root) as places:
                return question(places)
            return nothing

        try:
            return await asyncio.to_thread(ask)
        except Forbidden as error:
            raise SchedulerUnavailable(error.message, reason=error.reason) from error
        except OSError as error:
            raise SchedulerUnavailable(
                f"The jobs below {self._root} cannot be read or written: {error.strerror}. Check disk and quota."
            ) from error

    def _submit(self, script: str, spec: JobSpec, session: str, folder: Path) -> str:
        """Writes the whole job beside the queue, then moves it in: it is there entirely or not at all."""
        make(self._root)
        with opened(self._root) as places:
            self._prune(places)
            new = places.root / f"new-{secrets.token_hex(8)}"
            new.mkdir(mode=0o700)
            try:
                with lock(places.root / "number.lock"):
                    number = self._next_number(places)
                    self._write_job(new, number, script, spec, session, folder)
                    new.rename(places.jobs / str(number))
                self._launch_or_withdraw(places.jobs / str(number), new)
            except BaseException:
                shutil.rmtree(new, ignore_errors=True)
                raise
        return f"{number}{SUFFIX}"

    def _next_number(self, places: Places) -> int:
        """One more than any that was ever given, also when the counter did not survive a power cut."""
        known = (read_json(places.root / "number.json") or {}).get("last")
        there = [int(path.name) for path in places.folders() if NUMBER.fullmatch(path.name)]
        number = (known if isinstance(known, int) else max(there, default=0)) + 1
        write_json(places.root / "number.json", {"last": number})
        return number

    def _write_job(self, new: Path, number: int, script: str, spec: JobSpec, session: str, folder: Path) -> None:
        write_private(new / "script", script)
        write_private(new / "nodes", f"{socket.gethostname()}\n" * spec.cores)
        job = request(number, spec, queue=self._queue, max_running=self._max_running, session=session, folder=folder)
        environment = pbs_variables(job, self._root / "jobs" / str(number) / "nodes")
        write_json(new / "job.json", {**job, "environment": environment})

    def _launch_or_withdraw(self, folder: Path, out: Path) -> None:
        """A job whose runner cannot be started leaves the queue again: whoever submitted it is told so."""
        try:
            self._launch(folder)
        except OSError:
            folder.rename(out)
            raise

    def _launch(self, folder: Path) -> None:
        """Starts the job's runner, by the folder's own path: it looks for itself whose that is."""
        launch(self._root / "jobs" / folder.name)

    def _find(self, places: Places, job_id: str) -> Job | None:
        number = job_id.removesuffix(SUFFIX)
        if not NUMBER.fullmatch(number):
            return None
        for _ in range(2):  # it may be put away between the two looks
            for folder in (places.jobs / number, places.done / number):
                with suppress(FileNotFoundError):
                    if job := self._read(folder, waits_in=places.jobs):
                        return job
        return None

    def _these(self, places: Places, job_ids: list[str]) -> dict[str, Job]:
        return {job.id: job for job_id in job_ids if (job := self._find(places, job_id))}

    def _all(self, places: Places) -> list[Job]:
        return [job for number in {folder.name for folder in places.folders()} if (job := self._find(places, number))]

    def _machine(self, places: Places) -> Queue:
        standing = [folder for folder in places.jobs.iterdir() if NUMBER.fullmatch(folder.name)]
        begun = [folder for folder in standing if (folder / "started.json").exists()]
        asked = [(read_json(folder / "job.json") or {}).get("cores", 1) for folder in begun]
        return machine(self._queue, asked, len(standing) - len(begun), self._max_running)

    def _read(self, folder: Path, waits_in: Path) -> Job | None:
        """The job in a folder; one whose runner has died is put in order first.

        UNKNOWN, with a word on why, when others could have made or changed it, or when nobody could have written it.
        Raises FileNotFoundError when the folder was put away meanwhile: what was read is not of one moment then.
        """
        try:
            check_job(folder)
            return self._told(folder, waits_in)
        except (Forbidden, NotADirectoryError, PermissionError) as error:
            why = f"Its folder is not used. {error}"
        except (BadRequest, KeyError, TypeError, ValueError):
            why = f"Its files in {self._root} are damaged."
        return Job(f"{folder.name}{SUFFIX}", JobState.UNKNOWN, comment=why)

    def _told(self, folder: Path, waits_in: Path) -> Job | None:
        asked = read_json(folder / "job.json")
        if asked is None:
            return None
        if folder.parent == waits_in and not runner_lives(folder):
            self._recover(folder)
        started, ended = read_json(folder / "started.json"), read_json(folder / "ended.json")
        job = job_of(asked, started, ended, held=(folder / "held").exists())
        if job.state is JobState.QUEUED and places_taken(waits_in, int(folder.name)) >= asked["max_running"]:
            job = replace(job, comment=waiting(asked["max_running"]))
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
                end_leftovers(started)
                finish(folder, KILLED)

    async def _wish(self, job_id: str, wish: str, on: bool) -> None:
        """Notes a wish in the job's folder and wakes its runner."""
        if not re.fullmatch(rf"[0-9]{{1,10}}({re.escape(SUFFIX)})?", job_id):
            raise BadRequest(f"{job_id[:40]!r} is not a job of the local scheduler.")

        def note(places: Places) -> None:
            folder = places.jobs / job_id.removesuffix(SUFFIX)
            check_job(folder)
            with suppress(FileNotFoundError):
                write_private(folder / wish, "") if on else (folder / wish).unlink()
            wake(folder)

        await self._answer(note, None)

    def _prune(self, places: Places) -> None:
        """Forgets jobs that ended long ago, and what servers left that died while they submitted."""
        old = [(folder, KEEP_COMPLETED_S) for folder in places.done.iterdir()]
        old += [(folder, KEEP_UNFINISHED_S) for folder in places.root.glob("new-*")]
        for folder, keep in old:
            with suppress(FileNotFoundError):
                if time.time() - folder.stat().st_mtime > keep:
                    shutil.rmtree(folder, ignore_errors=True)
