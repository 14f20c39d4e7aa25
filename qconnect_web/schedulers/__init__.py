"""The one protocol that every batch system speaks here; each module beside this one is one scheduler's words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from ..values.job import Job, JobSpec


@dataclass(frozen=True)
class Queue:
    """One queue as the scheduler describes it: limits in seconds, bytes and counts, None where it has none.

    An `enabled` queue takes jobs, one that is `started` runs them. `node_cores`, `node_memory` and `node_gpus` are the
    most that one node of the queue has; `memory_per_core` is what its nodes have for each core; `free_cores` are free
    right now; `max_running` is a user's limit of running jobs.
    """

    name: str
    enabled: bool = True
    started: bool = True
    default: bool = False
    max_walltime_s: int | None = None
    max_nodes: int | None = None
    max_cores: int | None = None
    max_memory: int | None = None
    max_running: int | None = None
    node_cores: int | None = None
    node_memory: int | None = None
    node_gpus: int | None = None
    gpu_types: tuple[str, ...] = ()
    memory_per_core: int | None = None
    free_cores: int | None = None
    queued: int | None = None
    running: int | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class More(Protocol):
    """Whether a question may be followed by one more, which is counted then; one that `must` be put is only counted."""

    def __call__(self, *, must: bool = False) -> bool: ...


def unrationed(*, must: bool = False) -> bool:
    """For who counts no questions: any number may be put."""
    return True


class Scheduler(Protocol):
    """Submits, asks after and cancels jobs; every call bounds its own wait.

    All raise SchedulerUnavailable when the scheduler does not answer and SchedulerFailed, with its own words, when
    it refuses. `dialect` is that of the job script's directives (request_form.CHOICES); a `cheap` scheduler may be
    asked at any time, others count the questions: the first of each call by whoever makes it, the rest by `more`. Of
    what it `ignores` (keys of JobSpec) it has no notion, so that a form does not offer it.
    """

    name: str
    dialect: str
    cheap: bool
    ignores: frozenset[str]

    async def submit(self, script: str, spec: JobSpec, *, session: str, folder: Path) -> str:
        """Submits `script`, tagged with the session key; its output goes into `folder`. Returns the job id."""

    async def query(self, job_ids: list[str], more: More = unrationed) -> dict[str, Job]:
        """What the scheduler knows of these jobs.

        An id that it does not know is missing from the answer; one that it said nothing about is UNKNOWN there.
        """

    async def mine(self, more: More = unrationed) -> list[Job]:
        """The user's own jobs, with their session tags."""

    async def cancel(self, job_id: str) -> None:
        """Cancels the job; one that is already over or unknown counts as cancelled."""

    async def queues(self, more: More = unrationed) -> list[Queue]:
        """The queues that the user may submit to."""

    async def available(self, programs: tuple[str, ...]) -> dict[str, bool] | None:
        """Which of these programs a job would find, or None where that cannot be known from here."""
