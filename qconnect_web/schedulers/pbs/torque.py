"""TORQUE: submits by `qsub`, asks by `qstat -x` for its own ids, ends by `qdel`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...errors import SchedulerFailed, SchedulerUnavailable
from ...values.job import JOB_ID, Job, JobState
from .. import More, Queue, unrationed
from ..commands import Commands, Done
from ..follow_up import FollowUp
from . import common
from .common import (
    JOB_STATES,
    MAX_IDS,
    askable,
    comment_of,
    count,
    first_host,
    seconds,
    settled,
    status_of,
    tag_among,
)
from .queues import blocks, queue_of
from .scheduler import PbsScheduler
from .torque_xml import jobs_in, nodes_of

CAUSES = {
    271: "cancelled",  # 256 + SIGTERM, what qdel sends
    265: "killed",  # 256 + SIGKILL
    -1: "not-started",
    -2: "not-started",
    -3: "not-started",
    -4: "node-failed",
    -5: "node-failed",
    -8: "not-started",
    -10: "memory",
    -11: "walltime",
    -12: "cpu-time",
}
"""Exit statuses that TORQUE itself gives (torque.md, Ends; pbs_job.h)."""


def query_argv(job_ids: Sequence[str]) -> list[str]:
    return ["qstat", "-x", *askable(job_ids)[:MAX_IDS]]


MINE_ARGV = ["qstat", "-x"]
"""All jobs that the user may see: with `-u` there is a table for people as soon as there is one job."""
QUEUES_ARGV = ["qstat", "-Q", "-f"]
SERVER_ARGV = ["qstat", "-B", "-f"]
NODES_ARGV = ["pbsnodes", "-x"]


def answer(asked: Sequence[str], done: Done) -> dict[str, Job]:
    """The jobs of these ids in what `qstat -x` said; see common.settled."""
    return settled(asked, {job.id: job for job in jobs(done)}, done)


def jobs(done: Done, user: str | None = None) -> list[Job]:
    """All jobs of an answer, or this user's: a site may let everybody see everybody's.

    Nothing on the output is none: releases before 6.1 print nothing where there is no job, with status 0.
    """
    if not done.out.strip():
        return []
    wanted = [given for given in jobs_in(done.out) if user is None or common.owned(user, given)]
    return common.distinct(found for given in wanted if (found := job_of(given)))


def job_of(given: Mapping[str, str]) -> Job | None:
    """One job, or None when it has no id. A letter that is not known is UNKNOWN."""
    job_id, letter = given.get("Job_Id", ""), given.get("job_state", "")
    if not JOB_ID.fullmatch(job_id):
        return None
    state = JOB_STATES.get(letter, JobState.UNKNOWN)
    status = status_of(given.get("exit_status"))
    comment = comment_of(letter, given.get("comment"), given.get("Hold_Types"))
    return Job(
        id=job_id,
        state=state,
        node=first_host(given.get("exec_host")),
        queue=given.get("queue") or None,
        name=given.get("Job_Name") or None,
        comment=" ".join(filter(None, [comment, given.get("sched_hint", "")[:500]])) or None,
        exit_status=status,
        submitted=count(given.get("qtime")),
        started=count(given.get("start_time")),
        ended=count(given.get("comp_time")),
        walltime_s=seconds(given.get("walltime")),
        session=tag_among(given.get("Variable_List", "")),
        starts=count(given.get("start_count")),
        cause=cause(state, status),
    )


def cause(state: JobState, status: int | None) -> str | None:
    """Why a job ended; one that has no exit status was deleted while it waited (torque.md, Ends)."""
    if state is not JobState.COMPLETED:
        return None
    return "cancelled" if status is None else CAUSES.get(status)


def queues(described: Done, nodes: Done, server: Done) -> list[Queue]:
    """The queues that run jobs; without an answer about nodes or server, what the queues themselves say."""
    default = next((given.get("default_queue") for given in blocks(server.out).values()), None)
    found = blocks(described.out)
    if described.status and not found:
        raise SchedulerFailed(f"The batch system could not be asked about its queues. It says: {described.words}")
    here = nodes_of(nodes.out) if nodes.status == 0 else []
    return [queue_of(name, given, here, default) for name, given in found.items()]


class TorqueScheduler(PbsScheduler):
    """Jobs of one user on a TORQUE server."""

    name = "torque"

    def __init__(self, commands: Commands, *, user: str) -> None:
        super().__init__(commands, user=user)
        self._follow_up = FollowUp()

    async def query(self, job_ids: list[str], more: More = unrationed) -> dict[str, Job]:
        """These jobs, by one question; one that its answer is silent about is asked about by itself."""
        ids = common.askable(self._follow_up.order(job_ids))
        if not ids:
            return {}
        told = answer(ids, await self._commands.ask(query_argv(ids)))
        if len(ids) > 1:
            await self._ask_alone(self._follow_up.silent(told), told, more)
        return self._follow_up.settle(job_ids, told)

    async def _ask_alone(self, silent: list[str], told: dict[str, Job], more: More) -> None:
        """Asks about each of these by itself, as long as it may and is answered; `told` is put right."""
        for job_id in silent:
            if not more():
                return
            try:
                again = answer([job_id], await self._commands.ask(query_argv([job_id])))
            except SchedulerUnavailable:
                return
            except SchedulerFailed:  # an error that names no job says nothing of it
                continue
            del told[job_id]
            told |= again

    async def mine(self, more: More = unrationed) -> list[Job]:
        """The user's jobs."""
        done = await self._commands.ask(MINE_ARGV)
        found = jobs(done, self._user)
        common.check_answered(len(found), done)
        return found

    async def queues(self, more: More = unrationed) -> list[Queue]:
        """The queues, with what the nodes have."""
        return queues(*await self._told(QUEUES_ARGV, NODES_ARGV, SERVER_ARGV, more=more))
