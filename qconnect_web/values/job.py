"""What is asked of the scheduler and what it says: a job, its states, its id."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from ..units import parse_memory, parse_walltime
from .known_keys import known

JOB_ID = re.compile(r"[0-9]{1,10}(?:\[[0-9]*\])?(?:\.[A-Za-z0-9][A-Za-z0-9_.-]{0,252})?")
"""A job id as TORQUE and OpenPBS print it: `123`, `123.server`, `123[4].server` (torque.md)."""
PORTABLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,229}")
"""A job name that TORQUE, OpenPBS and Slurm all accept (recordings: `-N` on both PBS flavours)."""


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
    """What is asked of the scheduler: `memory` as `4GB`, `walltime` as `HH:MM:SS`."""

    name: str
    queue: str | None = None
    nodes: int = 1
    cores: int = 1
    memory: str = "1GB"
    walltime: str = "08:00:00"
    gpus: int = 0
    account: str | None = None
    native: tuple[str, ...] = ()

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
        """The spec as `to_json` wrote it; raises BadRequest on unknown keys."""
        known(cls, data)
        return cls(**{**data, "native": tuple(data.get("native", ()))})


@dataclass(frozen=True)
class Job:
    """What the scheduler says of one job: times in epoch seconds, `session` = the tag it was submitted with.

    `starts` counts its runs (None: not told); `cause` is why the scheduler ended it (sessions/describe), if it did.
    """

    id: str
    state: JobState
    node: str | None = None
    queue: str | None = None
    name: str | None = None
    comment: str | None = None
    exit_status: int | None = None
    submitted: float | None = None
    started: float | None = None
    ended: float | None = None
    walltime_s: int | None = None
    session: str | None = None
    starts: int | None = None
    cause: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "state": self.state.value}


def same_job(one: str, other: str) -> bool:
    """Whether `123.server` and `123` (or the same twice) are one job; `123.a` and `123.b` are two."""
    if one == other:
        return True
    return one.partition(".")[0] == other.partition(".")[0] and ("." in one) != ("." in other)
