"""Slurm, by its own commands: submits by `sbatch`, asks by `squeue --json`, ends by `scancel`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ...errors import SchedulerFailed, SchedulerUnavailable
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
        done = await self._commands.act(argv.submit_argv(session), text=script, folder=folder)
        return argv.on(argv.told_cluster(done), argv.job_id_of(done))

    async def query(self, job_ids: list[str], more: More = unrationed) -> dict[str, Job]:
        """These jobs, out of all the user's; one that is not among them is asked about by itself, once."""
        wanted = [job_id for job_id in job_ids if argv.JOB_ID.fullmatch(job_id)]
        if not wanted:
            return {}
        told = await self._told(dict.fromkeys(map(argv.cluster_of, wanted)), more)
        self._unknown &= set(wanted) - set(told)
        answer = {job_id: told.get(job_id) or Job(job_id, JobState.UNKNOWN) for job_id in wanted}
        await self._ask_alone(self._follow_up.silent(answer), answer, more)
        known = {job_id: job for job_id, job in answer.items() if job_id not in self._unknown}
        return self._follow_up.settle(job_ids, known)

    async def _told(self, clusters: Iterable[str], more: More) -> dict[str, Job]:
        """What each of these clusters tells by itself: one that is down keeps nobody from the others' answers.

        Raises SchedulerUnavailable, SchedulerFailed where none of them answers.
        """
        answers: list[Job] = []
        failures: list[SchedulerFailed] = []
        asked = list(clusters)
        for number, cluster in enumerate(asked):
            if number:
                more(must=True)
            try:
                answers += await self._jobs(cluster, more)
            except SchedulerFailed as error:
                failures.append(error)
        if len(failures) == len(asked):
            raise failures[-1]
        return {job.id: job for job in answers}

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
                told = self._at(argv.cluster_of(job_id), jobs.jobs_of_lines(done, self._user, self._uid))
                answer |= {job.id: job for job in told if job.id == job_id}

    async def mine(self, more: More = unrationed) -> list[Job]:
        """The user's jobs, those that ended a few minutes ago included, of all clusters that Slurm asks by itself."""
        return await self._jobs("", more, named=bool(os.environ.get("SLURM_CLUSTERS")))

    async def _jobs(self, cluster: str, more: More, *, named: bool = False) -> list[Job]:
        """The user's jobs of one cluster, by two questions once without JSON."""
        if self._json:
            done = await self._commands.ask(argv.query_argv(self._uid, cluster))
            if not argv.no_json(done):
                return self._at(cluster, jobs.jobs_of_json(done, self._user, self._uid, named=named))
            self._json = False
            more(must=True)
        done = await self._commands.ask(argv.lines_argv(cluster))
        return self._at(cluster, jobs.jobs_of_lines(done, self._user, self._uid))

    @staticmethod
    def _at(cluster: str, found: list[Job]) -> list[Job]:
        """A cluster's jobs, by the ids that name it."""
        return [replace(job, id=argv.on(cluster, job.id)) for job in found]

    async def cancel(self, job_id: str) -> None:
        """Ends the job."""
        argv.check_cancelled(await self._commands.act(argv.cancel_argv(job_id)))

    async def queues(self, more: More = unrationed) -> list[Queue]:
        """The partitions."""
        return queues.queues(await self._commands.ask(argv.QUEUES_ARGV))

    async def available(self, programs: tuple[str, ...]) -> dict[str, bool] | None:
        """What the nodes have cannot be known from here."""
        return None
