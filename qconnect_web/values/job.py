"""What is asked of the scheduler and what it says: a job, its states, its id."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Annotated, Any

from ..units import parse_memory, parse_walltime
from .reader import answers, choice, measured, moment, read, text, whole, words

JOB_ID = re.compile(r"[0-9]{1,10}(?:\[[0-9]*\])?(?:\.[A-Za-z0-9][A-Za-z0-9_.-]{0,252})?")
"""A job id as TORQUE and OpenPBS print it: `123`, `123.server`, `123[4].server` (torque.md)."""
ANY_JOB_ID = re.compile(r"[0-9][A-Za-z0-9_.+\[\]-]{0,270}")
"""A job id of any batch system: theirs, Slurm's (`123`, `123_4`, `123+0`), the local one's (`123.local`)."""
PORTABLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,229}")
"""A job name that TORQUE, OpenPBS and Slurm all accept (recordings: `-N` on both PBS flavours)."""
MAIL = re.compile("start|end|start-and-end")
"""When a job's user is written to; never where nothing is said."""

EXIT_STATUS = whole(-(1 << 31), (1 << 31) - 1)
"""Exit statuses as batch systems tell them: below 0 their own reasons, over 255 signals."""


class JobState(str, Enum):
    """What the scheduler says of a job; UNKNOWN is never read as "gone"."""

    QUEUED = "QUEUED"
    HELD = "HELD"
    RUNNING = "RUNNING"
    SUSPENDED = "SUSPENDED"
    COMPLETED = "COMPLETED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class JobSpec:
    """What is asked of the scheduler: `memory` as `4GB`, `walltime` as `HH:MM:SS`; `gpus` are those of one node.

    `mail` is when the batch system writes an e-mail (MAIL); `fields` are the answers to the app's own questions.
    """

    name: Annotated[str, text(255)]
    queue: Annotated[str | None, text(255)] = None
    nodes: Annotated[int, whole(1, 65536)] = 1
    cores: Annotated[int, whole(1, 65536)] = 1
    memory: Annotated[str, measured(parse_memory)] = "1GB"
    walltime: Annotated[str, measured(parse_walltime)] = "08:00:00"
    gpus: Annotated[int, whole(0, 65536)] = 0
    account: Annotated[str | None, text(255)] = None
    native: Annotated[tuple[str, ...], words(256, 4096)] = ()
    gpu_type: Annotated[str | None, text(64)] = None
    mail: Annotated[str | None, text(16, MAIL)] = None
    fields: Annotated[dict[str, str | int | float | bool], answers(64, 4096)] = field(default_factory=dict)

    @property
    def walltime_s(self) -> int:
        return parse_walltime(self.walltime)

    @property
    def memory_bytes(self) -> int:
        return parse_memory(self.memory)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "native": list(self.native)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> JobSpec:
        """The spec as `to_json` wrote it; raises BadRequest for anything else."""
        return read(cls, data)


@dataclass(frozen=True)
class Job:
    """What the scheduler says of one job: times in epoch seconds, `session` = the tag it was submitted with.

    `starts` counts its runs (None: not told); `cause` is why the scheduler ended it (sessions/describe), if it did.
    """

    id: Annotated[str, text(271, ANY_JOB_ID)]
    state: Annotated[JobState, choice(JobState)]
    node: Annotated[str | None, text(4096)] = None
    queue: Annotated[str | None, text(255)] = None
    name: Annotated[str | None, text(4096)] = None
    comment: Annotated[str | None, text(65536)] = None
    exit_status: Annotated[int | None, EXIT_STATUS] = None
    submitted: Annotated[float | None, moment] = None
    started: Annotated[float | None, moment] = None
    ended: Annotated[float | None, moment] = None
    walltime_s: Annotated[int | None, whole(0, 1 << 40)] = None
    session: Annotated[str | None, text(255)] = None
    starts: Annotated[int | None, whole(0, 1 << 31)] = None
    cause: Annotated[str | None, text(64)] = None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "state": self.state.value}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Job:
        """The job as `to_json` wrote it; raises BadRequest for anything else."""
        return read(cls, data)


def same_job(one: str, other: str) -> bool:
    """Whether `123.server` and `123` (or the same twice) are one job; `123.a` and `123.b` are two."""
    if one == other:
        return True
    return one.partition(".")[0] == other.partition(".")[0] and ("." in one) != ("." in other)
