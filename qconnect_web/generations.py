"""A job that is requeued runs again, elsewhere, with new keys: what its earlier run wrote counts for nothing.

The files of an earlier run stay until the next one removes them, or for ever when their node is gone. Which run they
are of is told by the scheduler's word: it only counts when it was asked for after the run's files were seen, because
the files are often the quicker of the two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .models import Job, JobState
from .store import Facts

SKEW = 300.0
"""Seconds by which a node's clock may differ from the scheduler's."""
WAITING = (JobState.QUEUED, JobState.HELD)


@dataclass(frozen=True)
class Start:
    """How the scheduler spoke of the job when a run was first seen: its number of starts, node, starting time."""

    run: str
    starts: int | None
    node: str | None
    started: float | None


class Generations:
    """Remembers, for each session, with which start of its job the current run was first seen, and which are over."""

    def __init__(self) -> None:
        self._starts: dict[str, Start] = {}
        self._over: dict[str, str] = {}

    def current(self, key: str, facts: Facts, job: Job) -> Facts:
        """The facts without those of an earlier run; `job` is newer than the files."""
        if facts.run is None:
            return facts
        first = self._starts.get(key)
        if (
            job.state in WAITING
            or (first and first.run == facts.run and self._again(first, job))
            or _before(facts, job)
        ):
            self._over[key] = facts.run
        elif job.state is JobState.RUNNING:
            self._starts[key] = Start(facts.run, job.starts, job.node, job.started)
        return self.living(key, facts)

    def living(self, key: str, facts: Facts) -> Facts:
        """The facts without run, connection and end when that run is known to be over."""
        over = facts.run is not None and self._over.get(key) == facts.run
        return replace(facts, run=None, connection=None, end=None) if over else facts

    def forget(self, key: str) -> None:
        """The session's folder is gone."""
        self._starts.pop(key, None)
        self._over.pop(key, None)

    def _again(self, first: Start, job: Job) -> bool:
        """Whether the job has been started anew since."""
        told = ((first.starts, job.starts), (first.node, job.node), (first.started, job.started))
        return job.state is JobState.RUNNING and any(
            then != now for then, now in told if then is not None and now is not None
        )


def _before(facts: Facts, job: Job) -> bool:
    """Whether the display was there before the job was started, by more than clocks may differ."""
    running = job.state is JobState.RUNNING and job.started is not None and facts.connection is not None
    return running and facts.connection.time < job.started - SKEW  # type: ignore[union-attr, operator]  # both there
