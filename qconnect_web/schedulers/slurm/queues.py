"""Slurm's partitions as queues, from one `sinfo`; pure and total (see `argv`)."""

from __future__ import annotations

import re

from ...errors import SchedulerFailed, SchedulerUnavailable
from .. import Queue
from ..commands import Done
from ..pbs.queues import share
from .argv import QUEUES_FIELDS, limit, silent

MB = 1 << 20


def queues(done: Done) -> list[Queue]:
    """The partitions; each line of `sinfo` is some nodes of one partition that are alike."""
    if done.status:
        kind = SchedulerUnavailable if silent(done) else SchedulerFailed
        raise kind(f"Slurm could not be asked about its partitions. It says: {done.words}")
    found: dict[str, list[dict[str, str]]] = {}
    for line in done.out.splitlines():
        values = line.strip().split("|")
        if len(values) == len(QUEUES_FIELDS):
            given = dict(zip(QUEUES_FIELDS, values, strict=True))
            found.setdefault(given["R"], []).append(given)
    return [queue(name, lines) for name, lines in found.items()]


def queue(name: str, lines: list[dict[str, str]]) -> Queue:
    """One partition."""
    nodes = [(number(line["m"]) * MB, number(line["c"])) for line in lines]
    largest = re.fullmatch(r"(?:[0-9]+-)?([0-9]{1,9})", lines[0]["s"])
    return Queue(
        name,
        enabled=lines[0]["a"] == "up",
        default=lines[0]["P"].endswith("*"),
        max_walltime_s=limit(lines[0]["l"]),
        max_nodes=int(largest[1]) if largest else None,
        node_cores=max((cores for _, cores in nodes), default=None),
        node_memory=max((memory for memory, _ in nodes), default=None),
        node_gpus=max(sum(amount for _, amount in gpus(line["G"])) for line in lines),
        gpu_types=tuple(sorted({kind for line in lines for kind, _ in gpus(line["G"]) if kind})),
        memory_per_core=share(nodes),
        free_cores=sum(idle(line) for line in lines),
    )


def gpus(gres: str) -> list[tuple[str, int]]:
    """(type, how many) of the GPUs among a node's generic resources: `gpu:a100:2(S:0-1),tmpdisk:4`."""
    found = re.findall(r"(?:^|,)gpu(?::([A-Za-z][A-Za-z0-9_.-]{0,63}))?:([0-9]{1,6})(?=[(,]|$)", gres)
    return [(kind, int(amount)) for kind, amount in found]


def idle(line: dict[str, str]) -> int:
    """Free cores, of allocated/idle/other/all; those of nodes that are down or drained are "other"."""
    found = re.fullmatch(r"[0-9]{1,12}/([0-9]{1,12})/[0-9]{1,12}/[0-9]{1,12}", line["C"])
    return int(found[1]) if found else 0


def number(text: str) -> int:
    """A number that may have a `+` behind it ("at least")."""
    found = re.match(r"[0-9]{1,12}", text)
    return int(found[0]) if found else 0
