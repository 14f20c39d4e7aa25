"""Runs whose display hung up or could not be reached: before they are dialled again, the scheduler is asked.

A job that runs again elsewhere leaves an address behind that may belong to anybody by now; until its new run removes
the old run's files, only the scheduler can tell (design: the old host is never dialled again).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .models import Session

AGE_S = 1.0
"""Seconds that an answer counts: a scheduler may still call a job running that has just been killed to run again."""
PATIENCE_S = 5.0
"""Seconds that an answer is waited for: a batch system that is silent must not keep anybody from a session."""
MOST = 3
"""Questions for one doubt; a node that is away for long is not asked about at every attempt."""


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
