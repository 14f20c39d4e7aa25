"""OpenPBS: submits by `qsub`, asks by `qstat -f -F json`, finished jobs included, ends by `qdel`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ...errors import SchedulerFailed, SchedulerUnavailable
from ...values.job import Job, JobState
from .. import More, Queue, unrationed
from ..commands import Commands, Done
from ..follow_up import FollowUp
from . import common
from .common import MAX_IDS, askable, settled
from .openpbs_jobs import jobs, jobs_of_text, parsed
from .queues import Node, blocks, flat, node_of, queue_of
from .scheduler import PbsScheduler

QUEUES_ARGV = ["qstat", "-Q", "-f", "-F", "json"]
SERVER_ARGV = ["qstat", "-B", "-f"]
NODES_ARGV = ["pbsnodes", "-a", "-F", "json"]


def query_argv(job_ids: Sequence[str], *, history: bool = True, as_json: bool = True) -> list[str]:
    """With `-x`, finished jobs too: without it they are errors (torque.md, OpenPBS)."""
    form = ["-f", "-F", "json"] if as_json else ["-f"]
    return ["qstat", *(["-x"] if history else []), *form, *askable(job_ids)[:MAX_IDS]]


def mine_argv(user: str) -> list[str]:
    """The ids of the user's jobs that are not over; what stands behind an @ would be taken for a host."""
    return ["qselect", "-u", user.partition("@")[0]]


def answer(asked: Sequence[str], done: Done, *, as_json: bool = True) -> dict[str, Job]:
    """The jobs of these ids in what `qstat -f -F json` (or `qstat -f`) said; see common.settled."""
    found = jobs(done) if as_json else jobs_of_text(done)
    return settled(asked, {job.id: job for job in found}, done)


def no_history(done: Done) -> bool:
    """Whether the server keeps no finished jobs, so that it must be asked without `-x`.

    `job_history_enable` is unset unless the site sets it; the status is 0 then, and no job is on the output.
    """
    return "not configured to maintain job history" in done.err


def queues(described: Done, nodes: Done, server: Done) -> list[Queue]:
    """The queues; without an answer about nodes or server, what the queues themselves say."""
    if described.status and not described.out.strip():
        raise SchedulerFailed(f"The batch system could not be asked about its queues. It says: {described.words}")
    found = parsed(described.out).get("Queue", {})
    default = next((given.get("default_queue") for given in blocks(server.out).values()), None)
    here = nodes_of(nodes.out) if nodes.status == 0 else []
    given = found.items() if isinstance(found, dict) else ()
    return [queue_of(str(name), flat(values), here, default) for name, values in given]


def nodes_of(text: str) -> list[Node]:
    """The nodes of `pbsnodes -a -F json`; none when it cannot be read."""
    try:
        found = parsed(text).get("nodes", {})
    except SchedulerFailed:
        return []
    return [node_of(str(name), flat(values)) for name, values in found.items()] if isinstance(found, dict) else []


class OpenPbsScheduler(PbsScheduler):
    """Jobs of one user on an OpenPBS server."""

    name = "openpbs"

    def __init__(self, commands: Commands, *, user: str) -> None:
        super().__init__(commands, user=user)
        self._history = self._json = True
        self._follow_up = FollowUp()

    async def query(self, job_ids: list[str], more: More = unrationed) -> dict[str, Job]:
        """These jobs, by one question; those that the JSON does not tell are asked about without it, from then on all.

        A job that is left out even so is asked about by itself.
        """
        ids = common.askable(self._follow_up.order(job_ids))
        if not ids:
            return {}
        told = await self._listed(ids, more)
        silent = self._follow_up.silent(told)
        with suppress(SchedulerUnavailable):  # what was told before stands
            if self._json:
                await self._ask_again(silent, told, more)
            elif len(ids) > 1:
                for job_id in silent:
                    await self._ask_again([job_id], told, more)
        return self._follow_up.settle(job_ids, told)

    async def _listed(self, ids: list[str], more: More) -> dict[str, Job]:
        """The answer to a question about all of them; without JSON where that cannot be read at all."""
        try:
            return await self._ask(ids, more, as_json=self._json)
        except SchedulerUnavailable:
            raise
        except SchedulerFailed:
            if not self._json or not more():
                raise
            told = await self._ask(ids, more, as_json=False)
            self._json = False
            return told

    async def _ask_again(self, silent: list[str], told: dict[str, Job], more: More) -> None:
        """Asks without JSON, if it may, about those that were left out; `told` is put right."""
        if not silent or not more():
            return
        try:
            again = await self._ask(silent, more, as_json=False)
        except SchedulerUnavailable:
            raise
        except SchedulerFailed:  # an error that names no job says nothing of it
            return
        for job_id in silent:
            del told[job_id]
        told |= again
        self._json = self._json and all(job.state is JobState.UNKNOWN for job in again.values())

    async def _ask(self, ids: list[str], more: More, *, as_json: bool) -> dict[str, Job]:
        """One question; by two the first time, where the server keeps no finished jobs."""
        done = await self._commands.ask(query_argv(ids, history=self._history, as_json=as_json))
        if self._history and no_history(done):
            self._history = False
            more(must=True)
            done = await self._commands.ask(query_argv(ids, history=False, as_json=as_json))
        return answer(ids, done, as_json=as_json)

    async def mine(self, more: More = unrationed) -> list[Job]:
        """The user's jobs that are not over, by two questions."""
        done = await self._commands.ask(mine_argv(self._user))
        common.check_answered(0, done)
        ids = common.askable(done.out.split())[-MAX_IDS:]  # the latest
        if not ids:
            return []
        more(must=True)
        return list((await self._listed(ids, more)).values())

    async def queues(self, more: More = unrationed) -> list[Queue]:
        """The queues, with what the nodes have."""
        return queues(*await self._told(QUEUES_ARGV, NODES_ARGV, SERVER_ARGV, more=more))
