"""Queues and nodes of TORQUE and OpenPBS: what a job may ask for, and what is free. Pure and total, as `common`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import Queue
from .common import amount, count, seconds

NOT_UP = re.compile(r"down|offline|unknown|stale|sleep|provisioning|maintenance|unresolvable|state-unknown")
GB = 1 << 30
Attributes = dict[str, str]


@dataclass(frozen=True)
class Node:
    """One node: how many cores it has and how many are free, its memory in bytes, its GPUs, its properties."""

    name: str
    up: bool
    cores: int
    free: int
    memory: int | None = None
    properties: frozenset[str] = frozenset()
    gpus: int | None = None


def blocks(text: str) -> dict[str, Attributes]:
    """The attributes of each `Queue: name` (`Server: name`, `Job Id: id`) of `qstat -f`, folded lines put together.

    The first of its name counts: a job's variables may hold whole lines.
    """
    found: dict[str, Attributes] = {}
    current: Attributes | None = None
    for line in re.sub(r"\n\t", "", text).splitlines():
        if head := re.fullmatch(r"(?:Queue|Server|Job Id): (\S{1,255})", line.strip()):
            current = found.setdefault(head[1], {})
        elif current is not None and " = " in line:
            name, _, value = line.strip().partition(" = ")
            current.setdefault(name, value)
    return found


def flat(data: object, prefix: str = "", depth: int = 4) -> Attributes:
    """JSON objects as dotted names: `{"resources_max": {"mem": "1gb"}}` is `resources_max.mem`."""
    found: Attributes = {}
    if isinstance(data, dict) and depth:
        for name, value in data.items():
            found |= flat(value, f"{prefix}.{name}" if prefix else str(name), depth - 1)
    elif prefix and isinstance(data, str | int | float):
        found[prefix] = str(data)
    return found


def queue_of(name: str, given: Mapping[str, str], nodes: Iterable[Node], default: str | None) -> Queue:
    """One queue, with what the nodes that it may use have."""
    wanted = given.get("resources_default.neednodes") or given.get("default_chunk.Qlist")
    mine = list(nodes)
    if wanted and any(wanted in node.properties for node in mine):
        mine = [node for node in mine if wanted in node.properties]
    states = dict(re.findall(r"(\w+):([0-9]{1,9})", given.get("state_count", "")))
    limit = re.search(r"u:PBS_GENERIC=([0-9]{1,9})", given.get("max_run", ""))
    return Queue(
        name,
        enabled=given.get("enabled") == "True",
        started=given.get("started") == "True",
        default=name == default,
        max_walltime_s=seconds(given.get("resources_max.walltime")),
        max_nodes=count(given.get("resources_max.nodect")),
        max_cores=count(given.get("resources_max.ncpus")) or count(given.get("resources_max.procct")),
        max_memory=amount(given.get("resources_max.mem")),
        max_running=count(given.get("max_user_run")) or (int(limit[1]) if limit else None),
        node_cores=max((node.cores for node in mine), default=None),
        node_memory=max((node.memory for node in mine if node.memory), default=None),
        node_gpus=max((node.gpus for node in mine if node.gpus is not None), default=None),
        memory_per_core=per_core(given, mine),
        free_cores=sum(node.free for node in mine) if mine else None,
        queued=count(states.get("Queued")),
        running=count(states.get("Running")),
    )


def per_core(given: Mapping[str, str], nodes: Iterable[Node]) -> int | None:
    """Memory for each core: the queue's maxima divided, as qconnect 1.8.1 did, else what its smallest node has."""
    memory, cores = amount(given.get("resources_max.mem")), count(given.get("resources_max.ncpus"))
    if memory and cores:
        return memory // cores
    return share([(node.memory, node.cores) for node in nodes if node.memory])


def share(nodes: Iterable[tuple[int, int]]) -> int | None:
    """The least memory per core among (memory, cores) of nodes, in whole GB where it is one at least."""
    least = min((memory // cores for memory, cores in nodes if cores), default=0)
    return (least // GB * GB if least >= GB else least >> 20 << 20) or None


def slots(jobs: str) -> int:
    """How many cores TORQUE's `jobs` of a node take: `0-1/28.server,3/32.server` are three."""
    taken = 0
    for part in re.findall(r"([0-9,-]{1,4000})/", f"{jobs},"):
        for first, last in re.findall(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", part):
            taken += max(0, int(last or first) - int(first)) + 1
    return taken


def up(state: object) -> bool:
    """Whether a node with this state runs jobs."""
    return not NOT_UP.search(str(state))


def node_of(name: str, given: Mapping[str, Any]) -> Node:
    """One node of OpenPBS, from the flat attributes of `pbsnodes -a -F json`."""
    cores = count(given.get("resources_available.ncpus")) or 0
    taken = count(given.get("resources_assigned.ncpus")) or 0
    properties = frozenset(
        part for key in ("resources_available.Qlist",) for part in str(given.get(key, "")).split(",")
    )
    usable = up(given.get("state", ""))
    free = max(0, cores - taken) if usable else 0
    memory, gpus = amount(given.get("resources_available.mem")), count(given.get("resources_available.ngpus", ""))
    return Node(name, usable, cores, free, memory, properties - {""}, gpus)
