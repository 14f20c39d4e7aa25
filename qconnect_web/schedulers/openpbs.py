"""OpenPBS: submits by `qsub`, asks by `qstat -f -F json`, finished jobs included, ends by `qdel`."""

from __future__ import annotations

from pathlib import Path

from ..models import Job, JobSpec
from . import Queue, openpbs_words, pbs_refusals, pbs_words
from .commands import Commands


class OpenPbsScheduler:
    """Jobs of one user on an OpenPBS server."""

    name = "openpbs"
    dialect = "pbs"
    cheap = False

    def __init__(self, commands: Commands, *, user: str) -> None:
        self._commands, self._user = commands, user
        self._history = True

    async def submit(self, script: str, spec: JobSpec, *, session: str, folder: Path) -> str:
        """Queues the job with its script on qsub's input, from within the session's folder."""
        pbs_words.check_submission(script, spec)
        return pbs_refusals.job_id_of(
            await self._commands.act(pbs_words.submit_argv(session), text=script, folder=folder)
        )

    async def query(self, job_ids: list[str]) -> dict[str, Job]:
        """These jobs, by one question; by two the first time, where the server keeps no finished jobs."""
        if not pbs_words.askable(job_ids):
            return {}
        done = await self._commands.ask(openpbs_words.query_argv(job_ids, history=self._history))
        if self._history and openpbs_words.no_history(done):
            self._history = False
            done = await self._commands.ask(openpbs_words.query_argv(job_ids, history=False))
        return openpbs_words.answer(job_ids, done)

    async def mine(self) -> list[Job]:
        """The user's jobs that are not over."""
        done = await self._commands.ask(openpbs_words.mine_argv(self._user))
        pbs_words.check_answered(0, done)
        return list((await self.query(done.out.split())).values())

    async def cancel(self, job_id: str) -> None:
        """Ends the job."""
        pbs_refusals.check_cancelled(await self._commands.act(pbs_words.cancel_argv(job_id)))

    async def queues(self) -> list[Queue]:
        """The queues, with what the nodes have."""
        described = await self._commands.ask(openpbs_words.QUEUES_ARGV)
        nodes = await self._commands.ask(openpbs_words.NODES_ARGV)
        return openpbs_words.queues(described, nodes, await self._commands.ask(openpbs_words.SERVER_ARGV))

    async def available(self, programs: tuple[str, ...]) -> dict[str, bool] | None:
        """What the nodes have cannot be known from here."""
        return None
