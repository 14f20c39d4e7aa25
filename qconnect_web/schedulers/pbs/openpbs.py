"""OpenPBS: submits by `qsub`, asks by `qstat -f -F json`, finished jobs included, ends by `qdel`."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ...errors import SchedulerFailed
from ...values.job import JOB_ID, Job, JobState
from .. import Queue
from ..commands import Commands, Done
from . import common
from .common import JOB_STATES, KEY, MAX_IDS, TAG, askable, comment_of, count, first_host, seconds, settled, status_of
from .queues import Node, blocks, flat, node_of, queue_of
from .scheduler import PbsScheduler

CAUSES = {
    271: "cancelled",
    265: "killed",
    -1: "not-started",
    -2: "not-started",
    -3: "not-started",
    -4: "node-failed",
    -8: "not-started",
    -10: "not-started",
    -26: "memory",
    -27: "memory",
    -28: "cpu-time",
    -29: "walltime",
}
"""Exit statuses that OpenPBS itself gives (pbs_job.h; -29 and 271 measured); not TORQUE's numbers."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
QUEUES_ARGV = ["qstat", "-Q", "-f", "-F", "json"]
SERVER_ARGV = ["qstat", "-B", "-f"]
NODES_ARGV = ["pbsnodes", "-a", "-F", "json"]


def query_argv(job_ids: Sequence[str], *, history: bool = True) -> list[str]:
    """With `-x`, finished jobs too: without it they are errors (torque.md, OpenPBS)."""
    return ["qstat", *(["-x"] if history else []), "-f", "-F", "json", *askable(job_ids)[:MAX_IDS]]


def mine_argv(user: str) -> list[str]:
    """The ids of the user's jobs that are not over."""
    return ["qselect", "-u", user]


def answer(asked: Sequence[str], done: Done) -> dict[str, Job]:
    """The jobs of these ids in what `qstat -f -F json` said; see common.settled."""
    return settled(asked, {job.id: job for job in jobs(done)}, done)


def no_history(done: Done) -> bool:
    """Whether the server keeps no finished jobs, so that it must be asked without `-x`.

    `job_history_enable` is unset unless the site sets it; the status is 0 then, and no job is on the output.
    """
    return "not configured to maintain job history" in done.err


def jobs(done: Done) -> list[Job]:
    """All jobs of an answer."""
    if done.status and not done.out.strip():
        return []
    found = parsed(done.out).get("Jobs", {})
    if not isinstance(found, dict):
        raise SchedulerFailed("The batch system's answer holds no jobs by their ids, so it was not read.")
    return [job for job_id, given in found.items() if (job := job_of(job_id, given))]


def parsed(text: str) -> dict[str, Any]:
    """The JSON object; raises SchedulerFailed. Values may hold raw control characters, as users' variables do."""
    try:
        data = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise SchedulerFailed(f"The batch system's answer is no JSON ({error}): {text[:120]!r}") from None
    if not isinstance(data, dict):
        raise SchedulerFailed(f"The batch system's answer is no JSON object: {text[:120]!r}")
    return data


def job_of(job_id: str, given: object) -> Job | None:
    """One job, or None when it has no id. A letter that is not known is UNKNOWN."""
    if not isinstance(given, dict) or not JOB_ID.fullmatch(job_id):
        return None
    letter = str(given.get("job_state", ""))
    state = JOB_STATES.get(letter, JobState.UNKNOWN)
    status = status_of(given.get("Exit_status"))
    resources, variables = given.get("Resource_List"), given.get("Variable_List")
    return Job(
        id=job_id,
        state=state,
        node=first_host(text(given, "exec_host")),
        queue=text(given, "queue"),
        name=text(given, "Job_Name"),
        comment=comment_of(letter, given.get("comment"), given.get("Hold_Types")),
        exit_status=status,
        submitted=moment(given.get("qtime")),
        started=moment(given.get("stime")),
        ended=moment(given.get("obittime")),
        walltime_s=seconds(resources.get("walltime")) if isinstance(resources, dict) else None,
        session=tag(variables),
        starts=count(given.get("run_count")),
        cause=cause(state, status),
    )


def cause(state: JobState, status: int | None) -> str | None:
    """Why a job ended; one that has no exit status was deleted while it waited."""
    if state is not JobState.COMPLETED:
        return None
    return "cancelled" if status is None else CAUSES.get(status)


def text(given: dict[str, Any], name: str) -> str | None:
    """A value that is text and not empty, or None; numbers come as numbers, also where they are names."""
    value = given.get(name)
    return str(value)[:1000] if isinstance(value, str | int) and str(value) else None


def tag(variables: object) -> str | None:
    """The session's key in Variable_List, an object here."""
    value = variables.get(TAG) if isinstance(variables, dict) else None
    return str(value) if isinstance(value, str | int) and KEY.fullmatch(str(value)) else None


def moment(value: object) -> float | None:
    """Epoch seconds of `Sun Nov 22 07:28:47 2026`, the server's local time, which is taken to be ours."""
    found = re.fullmatch(
        r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +([0-9]{1,2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([0-9]{4})", str(value)
    )
    if not found or found[1] not in MONTHS:
        return None
    day, hour, minute, second, year = (int(found[part]) for part in (2, 3, 4, 5, 6))
    with suppress(ValueError, OverflowError):
        return time.mktime((year, MONTHS.index(found[1]) + 1, day, hour, minute, second, 0, 0, -1))
    return None


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
        self._history = True

    async def query(self, job_ids: list[str]) -> dict[str, Job]:
        """These jobs, by one question; by two the first time, where the server keeps no finished jobs."""
        if not common.askable(job_ids):
            return {}
        done = await self._commands.ask(query_argv(job_ids, history=self._history))
        if self._history and no_history(done):
            self._history = False
            done = await self._commands.ask(query_argv(job_ids, history=False))
        return answer(job_ids, done)

    async def mine(self) -> list[Job]:
        """The user's jobs that are not over."""
        done = await self._commands.ask(mine_argv(self._user))
        common.check_answered(0, done)
        return list((await self.query(done.out.split())).values())

    async def queues(self) -> list[Queue]:
        """The queues, with what the nodes have."""
        described = await self._commands.ask(QUEUES_ARGV)
        nodes = await self._commands.ask(NODES_ARGV)
        return queues(described, nodes, await self._commands.ask(SERVER_ARGV))
