"""A job that is requeued runs again, elsewhere, with new keys: what its earlier run wrote counts for nothing.

The files of an earlier run stay until the next one removes them, or for ever when their node is gone. Which run they
are of is told by the scheduler's word: it only counts when it was asked for after the run's files were seen, because
the files are often the quicker of the two.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..values.job import Job, JobState
from ..values.session import Session
from .store import Facts

SKEW = 300.0
"""Seconds by which a node's clock may differ from the scheduler's."""
AGE_S = 1.0
"""Seconds that an answer counts: a scheduler may still call a job running that has just been killed to run again."""
PATIENCE_S = 5.0
"""Seconds that an answer is waited for: a batch system that is silent must not keep anybody from a session."""
MOST = 3
"""Questions for one doubt; a node that is away for long is not asked about at every attempt."""
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


@dataclass
class Doubt:
    """Which run, since when by the monotonic clock; when, and how often, the scheduler was asked because of it."""

    run: str
    since: float
    put: float = float("-inf")
    questions: int = 0


class Doubts:
    """The sessions whose display was lost and has not been reached since; `ask` puts a question to the scheduler."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._open: dict[str, Doubt] = {}

    def begin(self, session: Session) -> None:
        """The session's display was lost."""
        known = self._open.get(session.record.key)
        if session.connection and (known is None or known.run != session.connection.run):
            self._open[session.record.key] = Doubt(session.connection.run, time.monotonic())

    def end(self, session: Session) -> None:
        """It was reached."""
        self._open.pop(session.record.key, None)

    def hold(self, session: Session, began: float, asked: float) -> bool:
        """Whether an attempt to dial, begun at `began`, must wait; `asked` is when the scheduler was last asked."""
        doubt = self._open.get(session.record.key)
        if doubt is None or session.connection is None or doubt.run != session.connection.run:
            return False
        if asked >= max(doubt.since, began - AGE_S) or time.monotonic() > began + PATIENCE_S:
            return False
        if began - doubt.put > AGE_S:
            if doubt.questions == MOST:
                return False
            doubt.put, doubt.questions = time.monotonic(), doubt.questions + 1
            self._ask()
        return True
