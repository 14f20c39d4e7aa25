"""The one protocol that every batch system speaks here; each module beside this one is one scheduler's words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..models import Job, JobSpec


@dataclass(frozen=True)
class Queue:
    """One queue as the scheduler describes it: limits in seconds, bytes and counts, None where it has none."""

    name: str
    enabled: bool = True
    max_walltime_s: int | None = None
    max_cores: int | None = None
    max_memory: int | None = None
    default: bool = False


class Scheduler(Protocol):
    """Submits, asks after and cancels jobs; every call bounds its own wait.

    All raise SchedulerUnavailable when the scheduler does not answer and SchedulerFailed, with its own words, when
    it refuses.
    """

    name: str

    async def submit(self, script: str, spec: JobSpec, *, session: str, folder: Path) -> str:
        """Submits `script`, tagged with the session key; its output goes into `folder`. Returns the job id."""

    async def query(self, job_ids: list[str]) -> dict[str, Job]:
        """What the scheduler knows of these jobs; an id that it does not know is missing from the answer."""

    async def mine(self) -> list[Job]:
        """The user's own jobs, with their session tags."""

    async def cancel(self, job_id: str) -> None:
        """Cancels the job; one that is already over or unknown counts as cancelled."""

    async def queues(self) -> list[Queue]:
        """The queues that the user may submit to."""

    async def available(self, programs: tuple[str, ...]) -> dict[str, bool] | None:
        """Which of these programs a job would find, or None where that cannot be known from here."""
