"""Runs whose display hung up or could not be reached: before they are dialled again, the scheduler is asked.

A job that runs again elsewhere leaves an address behind that may belong to anybody by now; until its new run removes
the old run's files, only the scheduler can tell (design: the old host is never dialled again).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from .models import Session

PATIENCE_S = 5.0
"""Seconds that an answer is waited for: a batch system that is silent must not keep anybody from a session."""
AGAIN_S = 20.0
"""Seconds for which the same run is not doubted anew: the batch system is not asked at every attempt."""


@dataclass(frozen=True)
class Doubt:
    """Which run, and since when by the monotonic clock."""

    run: str
    since: float


class Doubts:
    """The last doubt about each session."""

    def __init__(self) -> None:
        self._found: dict[str, Doubt] = {}

    def note(self, session: Session) -> bool:
        """The session's display was lost; False when that was known, so that nobody need be asked."""
        now = time.monotonic()
        self._found = {key: doubt for key, doubt in self._found.items() if now - doubt.since < AGAIN_S}
        run = session.connection.run if session.connection else ""
        known = self._found.get(session.record.key)
        if known and known.run == run:
            return False
        self._found[session.record.key] = Doubt(run, now)
        return True

    def stands(self, session: Session, asked: float) -> bool:
        """Whether an answer must be waited for; `asked` is when the scheduler was last asked about the job."""
        doubt = self._found.get(session.record.key)
        same = doubt is not None and session.connection is not None and doubt.run == session.connection.run
        return same and asked < doubt.since and time.monotonic() < doubt.since + PATIENCE_S  # type: ignore[union-attr]
