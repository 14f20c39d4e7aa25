"""TORQUE's XML: the jobs of `qstat -x` and the nodes of `pbsnodes -x`, as texts by the names of their elements.

Older releases write `&`, `<` and `>` of variables as they are, and all write control characters: a document that is no
XML is cut into its jobs, and each is read alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET
from xml.sax.saxutils import unescape

from ...errors import SchedulerFailed
from .common import amount, count
from .queues import Node, slots, up

DECLARATION = re.compile(r"<\?xml\b[^>]*>")
JOB = re.compile(r"<Job>\s*<Job_Id>\s*([^<>\s]{1,300})\s*</Job_Id>")
READ = {"Job_Id", "Job_Name", "Job_Owner", "euser", "job_state", "queue", "exec_host", "Hold_Types", "comment"}
READ |= {"sched_hint", "Variable_List", "qtime", "start_time", "comp_time", "start_count", "exit_status"}
"""The elements of a job that say something to us; there are twice as many."""
ENTITIES = {"&apos;": "'", "&quot;": '"'}
Given = dict[str, str]


def jobs_in(text: str) -> list[Given]:
    """The wanted elements of each job in an answer, `walltime` of its Resource_List among them.

    `qstat -x` prints a document for each id that it is given. Raises SchedulerFailed when there is neither a document
    nor a job.
    """
    found: list[Given] = []
    errors: list[SchedulerFailed] = []
    for document in _documents(text):
        try:
            found += [_given(element) for element in parsed(document).iter("Job")]
        except SchedulerFailed as error:
            torn = list(_torn_jobs(document))
            found += torn
            errors += [] if torn else [error]
    if errors and not found:
        raise errors[0]
    return found


def _documents(text: str) -> list[str]:
    """The documents of an answer, without their declarations."""
    first, *rest = DECLARATION.split(text)
    return [first, *rest] if first.strip() or not rest else rest


def parsed(text: str) -> ET.Element:
    """The document's root; raises SchedulerFailed for what is no XML, or brings definitions of its own."""
    if "<!" in text:
        raise SchedulerFailed("The batch system's answer holds definitions that no qstat writes, so it was not read.")
    try:
        return ET.fromstring(text)  # noqa: S314 - no definitions, so no entity grows; defusedxml takes 5 times as long
    except (ET.ParseError, ValueError) as error:
        raise SchedulerFailed(f"The batch system's answer is no XML ({error}): {text[:120]!r}") from None


def _given(element: ET.Element) -> Given:
    """What is wanted of one <Job>."""
    given = {child.tag: child.text.strip() for child in element if child.tag in READ and child.text}
    walltime = element.findtext("Resource_List/walltime")
    return {**given, "walltime": walltime} if walltime else given


def _torn_jobs(text: str) -> Iterator[Given]:
    """The jobs of a document that is no XML; of one that was cut off in its middle only the id."""
    heads = list(JOB.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)]
    for head, end in zip(heads, ends, strict=False):
        part, closing, _ = text[head.start() : end].rpartition("</Job>")
        if not closing:
            yield {"Job_Id": head[1]}
            continue
        try:
            yield _given(parsed(part + closing))
        except SchedulerFailed:
            yield {**_values(part), "Job_Id": head[1]}


def _values(part: str) -> Given:
    """The elements of a job that is no XML: what stands before the variables first, else the last that stands after."""
    split = part.find("<Variable_List>")
    split = len(part) if split < 0 else split
    limits = re.search(r"<Resource_List>.*?<walltime>([0-9:]+)</walltime>.*?</Resource_List>", part, re.DOTALL)
    found = {"walltime": limits[1]} if limits else {}
    for name in READ:
        pattern = re.compile(rf"<{name}>(.*?)</{name}>", re.DOTALL)
        told = pattern.search(part, 0, split) or next(iter(reversed(list(pattern.finditer(part, split)))), None)
        if told:
            found[name] = unescape(told[1], ENTITIES).strip()
    return found


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
        gpus=count(element.findtext("gpus") or ""),
    )
