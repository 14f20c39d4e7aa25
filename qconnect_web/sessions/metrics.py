"""What Jupyter's `/metrics` tells of sessions and of the batch system; of displays: proxy/metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from prometheus_client import Counter, Gauge, Histogram

from ..values.session import Session, SessionState
from .audit import Deed

LAUNCHES = Counter("qconnect_launches", "Starts: done, or the reason of the refusal.", ["app", "result"])
LIVE = Gauge("qconnect_sessions", "Sessions that have not ended, by state.", ["state"])
ENDS = Counter("qconnect_ends", "Sessions that ended while they were seen: ended, or failed.", ["app", "result"])
WAIT = Histogram(
    "qconnect_wait_seconds",
    "Seconds from a start to its job's run: what the batch system makes its user wait.",
    ["app"],
    buckets=(1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600),
)
READY = Histogram(
    "qconnect_ready_seconds",
    "Seconds from a job's run to its display.",
    ["app"],
    buckets=(0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300),
)
COMMANDS = Counter(
    "qconnect_scheduler_commands",
    "Commands of the batch system, and what became of them.",
    ["command", "outcome"],
)
LATENCY = Histogram(
    "qconnect_scheduler_seconds",
    "Seconds that a command of the batch system took.",
    ["command"],
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 40),
)
OTHER = "other"
"""The label of an app that is none: anybody may ask for any name, and each label is kept for ever."""


def command(program: str, outcome: str, seconds: float) -> None:
    """A command of the batch system has ended."""
    COMMANDS.labels(program, outcome).inc()
    LATENCY.labels(program).observe(seconds)


class Journeys:
    """Sessions on their way from start to display, by what is seen of them here; `apps` gives the names of apps."""

    def __init__(self, apps: Callable[[], Collection[str]], clock: Callable[[], float] = time.time) -> None:
        self._apps, self._clock = apps, clock
        self._states: dict[str, SessionState] = {}
        self._began: dict[str, float] = {}

    def noted(self, deed: Deed, result: str) -> None:
        """A deed was done or refused (sessions/audit)."""
        if deed.event == "start":
            LAUNCHES.labels(self._label(deed.session.record.app if deed.session else deed.app), result).inc()

    def seen(self, session: Session) -> None:
        """A session has changed."""
        key, state = session.record.key, session.state
        before = self._states.get(key)
        app = self._label(session.record.app)
        if before in (SessionState.QUEUED, SessionState.HELD) and state in (SessionState.STARTING, SessionState.READY):
            self._began[key] = self._clock()
            WAIT.labels(app).observe(max(0.0, self._clock() - session.record.created))
        if state is SessionState.READY and key in self._began:
            READY.labels(app).observe(max(0.0, self._clock() - self._began.pop(key)))
        if state.final:
            self._began.pop(key, None)
            if self._states.pop(key, None):
                ENDS.labels(app, state.value.lower()).inc()
        else:
            self._states[key] = state
        for each in SessionState:
            if not each.final:
                LIVE.labels(each.value).set(list(self._states.values()).count(each))

    def _label(self, app: str | None) -> str:
        return app if app is not None and app in self._apps() else OTHER
