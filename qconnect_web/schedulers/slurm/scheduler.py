"""Slurm, by its own commands: submits by `sbatch`, asks by `squeue --json`, ends by `scancel`."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import SchedulerUnavailable
from ...values.job import Job, JobSpec, JobState
from .. import More, Queue, unrationed
from ..commands import Commands
from ..follow_up import FollowUp
from ..pbs import common
from . import argv, jobs, queues


class SlurmScheduler:
    """Jobs of one user on a Slurm cluster."""

    name = "slurm"
    dialect = "slurm"
    cheap = False
    ignores: frozenset[str] = frozenset()

    def __init__(self, commands: Commands, *, user: str, uid: int | None = None) -> None:
        self._commands, self._user, self._uid = commands, user, os.getuid() if uid is None else uid
        self._json = True
        self._follow_up = FollowUp()
        self._unknown: set[str] = set()

    async def submit(self, script: str, spec: JobSpec, *, session: str, folder: Path) -> str:
        """Queues the job with its script on sbatch's input, from within the session's folder."""
        common.check_submission(script)
        return argv.job_id_of(await self._commands.act(argv.submit_argv(session), text=script, folder=folder))

    async def query(self, job_ids: list[str], more: More = unrationed) -> dict[str, Job]:
        """These jobs, out of all the user's; one that is not among them is asked about by itself, once."""
        wanted = [job_id for job_id in job_ids if argv.JOB_ID.fullmatch(job_id)]
        if not wanted:
            return {}
        told = {job.id: job for job in await self.mine(more)}
        self._unknown &= set(wanted) - set(told)
        answer = {job_id: told.get(job_id) or Job(job_id, JobState.UNKNOWN) for job_id in wanted}
        await self._ask_alone(self._follow_up.silent(answer), answer, more)
        known = {job_id: job for job_id, job in answer.items() if job_id not in self._unknown}
        return self._follow_up.settle(job_ids, known)

    async def _ask_alone(self, silent: list[str], answer: dict[str, Job], more: More) -> None:
        """Asks about each of these by itself, as long as it may and is answered; notes whom Slurm does not know."""
        for job_id in silent:
            if job_id in self._unknown:
                continue
            if not more():
                return
            try:
                done = await self._commands.ask(argv.alone_argv(job_id))
            except SchedulerUnavailable:
                return
            if argv.unknown_id(done):
                self._unknown.add(job_id)
            elif not done.status:
                told = jobs.jobs_of_lines(done, self._user, self._uid)
                answer |= {job.id: job for job in told if job.id == job_id}

    async def mine(self, more: More = unrationed) -> list[Job]:
        """The user's jobs, those that ended a few minutes ago included; by two questions once without JSON."""
        if self._json:
            done = await self._commands.ask(argv.query_argv(self._uid))
            if not argv.no_json(done):
                return jobs.jobs_of_json(done, self._user, self._uid)
            self._json = False
            more(must=True)
        return jobs.jobs_of_lines(await self._commands.ask(argv.LINES_ARGV), self._user, self._uid)

    async def cancel(self, job_id: str) -> None:
        """Ends the job."""
        argv.check_cancelled(await self._commands.act(argv.cancel_argv(job_id)))

    async def queues(self, more: More = unrationed) -> list[Queue]:
        """The partitions."""
        return queues.queues(await self._commands.ask(argv.QUEUES_ARGV))

    async def available(self, programs: tuple[str, ...]) -> dict[str, bool] | None:
        """What the nodes have cannot be known from here."""
        return None
