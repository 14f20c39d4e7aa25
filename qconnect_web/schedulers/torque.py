"""TORQUE: submits by `qsub`, asks by `qstat -x` for its own ids, ends by `qdel`."""

from __future__ import annotations

from pathlib import Path

from ..models import Job, JobSpec
from . import Queue, pbs_refusals, pbs_words, torque_words
from .commands import Commands


class TorqueScheduler:
    """Jobs of one user on a TORQUE server."""

    name = "torque"
    dialect = "pbs"
    cheap = False

    def __init__(self, commands: Commands, *, user: str) -> None:
        self._commands, self._user = commands, user

    async def submit(self, script: str, spec: JobSpec, *, session: str, folder: Path) -> str:
        """Queues the job with its script on qsub's input, from within the session's folder."""
        pbs_words.check_submission(script, spec)
        return pbs_refusals.job_id_of(
            await self._commands.act(pbs_words.submit_argv(session), text=script, folder=folder)
        )

    async def query(self, job_ids: list[str]) -> dict[str, Job]:
        """These jobs, by one question."""
        argv = torque_words.query_argv(job_ids)
        return torque_words.answer(job_ids, await self._commands.ask(argv)) if len(argv) > 2 else {}

    async def mine(self) -> list[Job]:
        """The user's jobs."""
        done = await self._commands.ask(torque_words.MINE_ARGV)
        found = torque_words.jobs(done, self._user)
        pbs_words.check_answered(len(found), done)
        return found

    async def cancel(self, job_id: str) -> None:
        """Ends the job."""
        pbs_refusals.check_cancelled(await self._commands.act(pbs_words.cancel_argv(job_id)))

    async def queues(self) -> list[Queue]:
        """The queues, with what the nodes have."""
        described = await self._commands.ask(torque_words.QUEUES_ARGV)
        nodes = await self._commands.ask(torque_words.NODES_ARGV)
        return torque_words.queues(described, nodes, await self._commands.ask(torque_words.SERVER_ARGV))

    async def available(self, programs: tuple[str, ...]) -> dict[str, bool] | None:
        """What the nodes have cannot be known from here."""
        return None
