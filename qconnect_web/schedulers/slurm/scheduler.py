"""Slurm, by its own commands: submits by `sbatch`, asks by `squeue --json`, ends by `scancel`."""

from __future__ import annotations

from pathlib import Path

from ...values.job import Job, JobSpec
from .. import Queue
from ..commands import Commands
from ..pbs import common
from . import argv, jobs, queues


class SlurmScheduler:
    """Jobs of one user on a Slurm cluster."""

    name = "slurm"
    dialect = "slurm"
    cheap = False

    def __init__(self, commands: Commands, *, user: str) -> None:
        self._commands, self._user = commands, user
        self._json = True

    async def submit(self, script: str, spec: JobSpec, *, session: str, folder: Path) -> str:
        """Queues the job with its script on sbatch's input, from within the session's folder."""
        common.check_submission(script, spec)
        return argv.job_id_of(await self._commands.act(argv.submit_argv(session), text=script, folder=folder))

    async def query(self, job_ids: list[str]) -> dict[str, Job]:
        """These jobs, out of all the user's."""
        wanted = set(job_ids)
        return {job.id: job for job in await self.mine() if job.id in wanted} if wanted else {}

    async def mine(self) -> list[Job]:
        """The user's jobs, those that ended a few minutes ago included; by two questions once without JSON."""
        if self._json:
            done = await self._commands.ask(argv.query_argv(self._user))
            if not argv.no_json(done):
                return jobs.jobs_of_json(done, self._user)
            self._json = False
        return jobs.jobs_of_lines(await self._commands.ask(argv.LINES_ARGV), self._user)

    async def cancel(self, job_id: str) -> None:
        """Ends the job."""
        argv.check_cancelled(await self._commands.act(argv.cancel_argv(job_id)))

    async def queues(self) -> list[Queue]:
        """The partitions."""
        return queues.queues(await self._commands.ask(argv.QUEUES_ARGV))

    async def available(self, programs: tuple[str, ...]) -> dict[str, bool] | None:
        """What the nodes have cannot be known from here."""
        return None
