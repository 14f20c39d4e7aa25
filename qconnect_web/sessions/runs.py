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
from . import timings
from .job_status import NEVER
from .store import Facts

WAITING = (JobState.QUEUED, JobState.HELD)


@dataclass(frozen=True)
class Start:
    """How the scheduler spoke of the job when a run was there: its number of starts, node, starting time."""

    run: str
    starts: int | None
    node: str | None
    started: float | None

    def again(self, job: Job) -> bool:
        """Whether the job has been started anew since."""
        told = ((self.starts, job.starts), (self.node, job.node), (self.started, job.started))
        return job.state is JobState.RUNNING and any(
            then != now for then, now in told if then is not None and now is not None
        )


@dataclass(frozen=True)
class Runs:
    """What is remembered of the runs of one session's job.

    `seen`: what there was at the last look, (run, whether a display, whether an end), and `since` when (monotonic).
    `start`: how the scheduler spoke of it. `over`: the latest run that is known to be over.
    """

    seen: tuple[str | None, bool, bool] | None = None
    since: float = NEVER
    start: Start | None = None
    over: str | None = None

    def noticed(self, facts: Facts, now: float) -> Runs:
        """After a look at `now` (monotonic)."""
        seen = (facts.run, facts.connection is not None, facts.end is not None)
        return self if seen == self.seen else replace(self, seen=seen, since=now)

    def judged(self, facts: Facts, job: Job) -> Runs:
        """After a word of the scheduler that is newer than the files."""
        if facts.run is None:
            return self
        again = self.start is not None and self.start.run == facts.run and self.start.again(job)
        if job.state in WAITING or again or _before(facts, job):
            return replace(self, over=facts.run)
        if job.state is JobState.RUNNING:
            return replace(self, start=Start(facts.run, job.starts, job.node, job.started))
        return self

    def current(self, facts: Facts) -> Facts:
        """The facts without run, connection and end when that run is known to be over."""
        over = facts.run is not None and facts.run == self.over
        return replace(facts, run=None, connection=None, end=None) if over else facts


def _before(facts: Facts, job: Job) -> bool:
    """Whether the display was there before the job was started, by more than clocks may differ."""
    if job.state is not JobState.RUNNING or job.started is None or facts.connection is None:
        return False
    return facts.connection.time < job.started - timings.CLOCK_SKEW


@dataclass
class Loss:
    """Which run, since when by the monotonic clock; when, and how often, the scheduler was asked because of it."""

    run: str
    since: float
    put: float = NEVER
    questions: int = 0


class Losses:
    """The sessions whose display was lost and has not been reached since; `ask` puts a question to the scheduler."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._open: dict[str, Loss] = {}

    def begin(self, session: Session) -> None:
        """The session's display was lost."""
        known = self._open.get(session.record.key)
        if session.connection and (known is None or known.run != session.connection.run):
            self._open[session.record.key] = Loss(session.connection.run, time.monotonic())

    def end(self, session: Session) -> None:
        """It was reached."""
        self._open.pop(session.record.key, None)

    def hold(self, session: Session, began: float, asked: float) -> bool:
        """Whether an attempt to dial, begun at `began`, must wait; `asked` is when the scheduler was last asked."""
        loss = self._open.get(session.record.key)
        if loss is None or session.connection is None or loss.run != session.connection.run:
            return False
        if asked >= max(loss.since, began - timings.LOSS_AGE) or time.monotonic() > began + timings.LOSS_PATIENCE:
            return False
        if began - loss.put > timings.LOSS_AGE:
            if loss.questions == timings.LOSS_QUESTIONS:
                return False
            loss.put, loss.questions = time.monotonic(), loss.questions + 1
            self._ask()
        return True
