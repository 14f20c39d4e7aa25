"""What a session asks of TORQUE and of OpenPBS by the same commands; how each is asked after jobs is its own."""

from __future__ import annotations

from pathlib import Path

from ...values.job import JobSpec
from .. import More
from ..commands import Commands, Done
from . import common, refusals


class PbsScheduler:
    """Jobs of one user on a server whose commands are qsub and qdel."""

    dialect = "pbs"
    cheap = False
    ignores = frozenset({"gpu_type"})

    def __init__(self, commands: Commands, *, user: str) -> None:
        self._commands, self._user = commands, user

    async def submit(self, script: str, spec: JobSpec, *, session: str, folder: Path) -> str:
        """Queues the job with its script on qsub's input, from within the session's folder."""
        common.check_submission(script)
        return refusals.job_id_of(await self._commands.act(common.submit_argv(session), text=script, folder=folder))

    async def cancel(self, job_id: str) -> None:
        """Ends the job."""
        refusals.check_cancelled(await self._commands.act(common.cancel_argv(job_id)))

    async def _told(self, *questions: list[str], more: More) -> list[Done]:
        """The answers to these, of which the first has been counted."""
        told: list[Done] = []
        for argv in questions:
            if told:
                more(must=True)
            told.append(await self._commands.ask(argv))
        return told

    async def available(self, programs: tuple[str, ...]) -> dict[str, bool] | None:
        """What the nodes have cannot be known from here."""
        return None
