"""What a queue allows, limit by limit: told to forms, and held against a job before it is submitted."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import BadFields
from ..schedulers import Queue
from ..units import format_memory, format_walltime, parse_memory, parse_walltime
from ..values.job import JobSpec
from ..values.limit import Limit

MB = 1 << 20


def limits(queue: Queue) -> list[Limit]:
    """The limits that are known of a queue."""
    amounts = [
        ("walltime", "job", format_walltime(queue.max_walltime_s) if queue.max_walltime_s else None),
        ("nodes", "job", queue.max_nodes),
        ("cores", "job", queue.max_cores),
        ("cores", "node", queue.node_cores),
        ("memory", "job", _memory(queue.max_memory)),
        ("memory", "node", _memory(queue.node_memory)),
    ]
    found = [Limit(field, "queue", max=most, queue=queue.name, per=per) for field, per, most in amounts if most]
    gpus = queue.node_gpus
    return [*found, Limit("gpus", "queue", max=gpus, queue=queue.name, per="node")] if gpus is not None else found


def _memory(size: int | None) -> str | None:
    return format_memory(size // MB * MB) if size else None


def check(spec: JobSpec, queue: Queue) -> None:
    """Raises BadFields, naming the limits, for what this queue can never run."""
    if not queue.enabled:
        closed = f"The job was not submitted. The queue {queue.name} takes no jobs now. Choose another one."
        raise BadFields.of({"queue": closed}, reason="limits")
    wrong = {limit.field: words for limit in reversed(limits(queue)) if (words := _beyond(spec, limit))}
    if spec.gpu_type and queue.gpu_types and spec.gpu_type not in queue.gpu_types:
        known = ", ".join(queue.gpu_types)
        wrong["gpu_type"] = f"The queue {queue.name} has no GPUs of the type {spec.gpu_type}. It has: {known}."
    if wrong:
        raise BadFields.of(dict(reversed(wrong.items())), reason="limits")


def _beyond(spec: JobSpec, limit: Limit) -> str | None:
    """What is wrong when a job asks for more than a limit."""
    return next((f"{asked} The queue {limit.queue} {words}" for asked, words in _told(spec, limit)), None)


def _told(spec: JobSpec, limit: Limit) -> Iterator[tuple[str, str]]:
    """(what is asked for, what the queue allows) when it is too much."""
    most, cores = limit.max, spec.cores * spec.nodes
    nodes = "1 node" if spec.nodes == 1 else f"{spec.nodes} nodes"
    match limit.field, limit.per, most:
        case "walltime", _, str() if spec.walltime_s > parse_walltime(most):
            yield f"The walltime {spec.walltime} is too long.", f"allows {most}. Ask for that or less."
        case "nodes", _, int() if spec.nodes > most:
            yield f"{nodes} are too many.", f"allows {most}."
        case "cores", "job", int() if cores > most:
            yield f"{cores} cores are too many.", f"allows {most} for a job. Ask for fewer."
        case "cores", "node", int() if spec.cores > most:
            yield f"{spec.cores} cores on one node are too many.", f"has nodes with {most} cores. Ask for fewer."
        case "memory", "job", str() if spec.memory_bytes > parse_memory(most):
            yield f"{spec.memory} of memory are too much.", f"allows {most} for a job. Ask for less."
        case "memory", "node", str() if spec.memory_bytes > parse_memory(most) * spec.nodes:
            yield f"{spec.memory} of memory are too much.", f"has nodes with {most}. Ask for less."
        case "gpus", _, 0 if spec.gpus:
            yield f"{spec.gpus} GPUs were asked for.", "has no GPUs. Choose another queue, or none of them."
        case "gpus", _, int() if spec.gpus > most:
            yield f"{spec.gpus} GPUs on one node are too many.", f"has nodes with {most}. Ask for fewer."
