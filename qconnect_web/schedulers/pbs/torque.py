"""TORQUE: submits by `qsub`, asks by `qstat -x` for its own ids, ends by `qdel`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from ...errors import SchedulerFailed
from ...values.job import JOB_ID, Job, JobState
from .. import Queue
from ..commands import Done
from . import common
from .common import (
    JOB_STATES,
    KEY,
    MAX_IDS,
    TAG,
    amount,
    askable,
    comment_of,
    count,
    first_host,
    seconds,
    settled,
    status_of,
)
from .queues import Node, blocks, queue_of, slots, up
from .scheduler import PbsScheduler

IN_VARIABLES = re.compile(rf"(?:^|,){TAG}=({KEY.pattern})(?:,|$)")
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


DECLARATION = re.compile(r"<\?xml\b[^>]*>")
MINE_ARGV = ["qstat", "-x"]
"""All jobs that the user may see: with `-u` there is a table for people as soon as there is one job."""
READ = {"Job_Id", "Job_Name", "job_state", "queue", "exec_host", "Hold_Types", "comment", "sched_hint", "Variable_List"}
READ |= {"qtime", "start_time", "comp_time", "start_count", "exit_status"}
"""The elements of a job that say something to us; there are twice as many."""
QUEUES_ARGV = ["qstat", "-Q", "-f"]
SERVER_ARGV = ["qstat", "-B", "-f"]
NODES_ARGV = ["pbsnodes", "-x"]


def answer(asked: Sequence[str], done: Done) -> dict[str, Job]:
    """The jobs of these ids in what `qstat -x` said; see common.settled."""
    return settled(asked, {job.id: job for job in jobs(done)}, done)


def jobs(done: Done, user: str | None = None) -> list[Job]:
    """All jobs of an answer, or this user's: a site may let everybody see everybody's."""
    wanted = [element for element in elements(done) if user in (None, owner(element))]
    return [found for element in wanted if (found := job_of(element))]


def elements(done: Done) -> list[ET.Element]:
    """The <Job>s of an answer; nothing on the output is none when a status says so (0 bytes with 153).

    A document that cannot be read hides no other; raises its error when there is no other.
    """
    if done.status and not done.out.strip():
        return []
    roots, errors = [], []
    for document in documents(done.out):
        try:
            roots.append(parsed(document))
        except SchedulerFailed as error:
            errors.append(error)
    if errors and not roots:
        raise errors[0]
    return [element for root in roots for element in root.iter("Job")]


def documents(text: str) -> list[str]:
    """The documents of an answer, without their declarations: `qstat -x` prints one for each id that it is given."""
    first, *rest = DECLARATION.split(text)
    return [first, *rest] if first.strip() or not rest else rest


def owner(element: ET.Element) -> str:
    """Whose job it is, without the host that it was submitted from."""
    return (element.findtext("Job_Owner") or "").partition("@")[0]


def parsed(text: str) -> ET.Element:
    """The document's root; raises SchedulerFailed for what is no XML, or brings definitions of its own."""
    if "<!" in text:
        raise SchedulerFailed("The batch system's answer holds definitions that no qstat writes, so it was not read.")
    try:
        return ET.fromstring(text)  # noqa: S314 - no definitions, so no entity grows; defusedxml takes 5 times as long
    except (ET.ParseError, ValueError) as error:
        raise SchedulerFailed(f"The batch system's answer is no XML ({error}): {text[:120]!r}") from None


def job_of(element: ET.Element) -> Job | None:
    """One job, or None when it has no id. A letter that is not known is UNKNOWN."""
    given = {child.tag: child.text.strip() for child in element if child.tag in READ and child.text}
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
        walltime_s=seconds(element.findtext("Resource_List/walltime")),
        session=tag(given.get("Variable_List", "")),
        starts=count(given.get("start_count")),
        cause=cause(state, status),
    )


def cause(state: JobState, status: int | None) -> str | None:
    """Why a job ended; one that has no exit status was deleted while it waited (torque.md, Ends)."""
    if state is not JobState.COMPLETED:
        return None
    return "cancelled" if status is None else CAUSES.get(status)


def tag(variables: str) -> str | None:
    """The session's key in Variable_List, where commas in values are not told from those between them."""
    found = IN_VARIABLES.search(variables) if TAG in variables else None
    return found[1] if found else None


def queues(described: Done, nodes: Done, server: Done) -> list[Queue]:
    """The queues that run jobs; without an answer about nodes or server, what the queues themselves say."""
    default = next((given.get("default_queue") for given in blocks(server.out).values()), None)
    found = blocks(described.out)
    if described.status and not found:
        raise SchedulerFailed(f"The batch system could not be asked about its queues. It says: {described.words}")
    here = nodes_of(nodes.out) if nodes.status == 0 else []
    return [queue_of(name, given, here, default) for name, given in found.items()]


def nodes_of(text: str) -> list[Node]:
    """The nodes of `pbsnodes -x`, which has no XML declaration; none when it cannot be read."""
    try:
        root = parsed(text)
    except SchedulerFailed:
        return []
    return [node_of(element) for element in root.iter("Node")]


def node_of(element: ET.Element) -> Node:
    """One node."""
    cores = count(element.findtext("np")) or 0
    usable = up(element.findtext("state") or "down")
    taken = slots(element.findtext("jobs") or "")
    memory = re.search(r"(?:^|,)physmem=([0-9]{1,15}[kmgtKMGT]?b)", element.findtext("status") or "")
    return Node(
        name=element.findtext("name") or "",
        up=usable,
        cores=cores,
        free=max(0, cores - taken) if usable else 0,
        memory=amount(memory[1]) if memory else None,
        properties=frozenset((element.findtext("properties") or "").split(",")) - {""},
    )


class TorqueScheduler(PbsScheduler):
    """Jobs of one user on a TORQUE server."""

    name = "torque"

    async def query(self, job_ids: list[str]) -> dict[str, Job]:
        """These jobs, by one question."""
        argv = query_argv(job_ids)
        return answer(job_ids, await self._commands.ask(argv)) if len(argv) > 2 else {}

    async def mine(self) -> list[Job]:
        """The user's jobs."""
        done = await self._commands.ask(MINE_ARGV)
        found = jobs(done, self._user)
        common.check_answered(len(found), done)
        return found

    async def queues(self) -> list[Queue]:
        """The queues, with what the nodes have."""
        described = await self._commands.ask(QUEUES_ARGV)
        nodes = await self._commands.ask(NODES_ARGV)
        return queues(described, nodes, await self._commands.ask(SERVER_ARGV))
