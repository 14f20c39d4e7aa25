"""A Jupyter server that kills itself (SIGKILL) at the point named in `$HOME/crash-at`; run by test_crashes."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_server.serverapp import main

from qconnect_web.schedulers import commands
from qconnect_web.schedulers.local.scheduler import LocalScheduler
from qconnect_web.schedulers.pbs.torque import TorqueScheduler
from qconnect_web.sessions import timings
from qconnect_web.sessions.job_cache import JobCache
from qconnect_web.sessions.manager import SessionManager
from qconnect_web.sessions.poll import Poll
from qconnect_web.sessions.queues import Queues
from qconnect_web.sessions.store import Store
from qconnect_web.transports.tls import TlsTransport

POINTS: dict[str, tuple[type[Any], str, str]] = {
    "asked": (SessionManager, "start", "before"),
    "before-intent": (Store, "create", "before"),
    "intent-written": (Store, "create", "after"),
    "script-written": (Store, "write_script", "after"),
    "before-submit": (LocalScheduler, "submit", "before"),
    "submitted": (LocalScheduler, "submit", "after"),
    "recorded": (Store, "write", "after-with-job-id"),
    "connecting": (TlsTransport, "endpoint", "before"),
}

"""Where a server dies that runs jobs itself."""
BATCH_POINTS: dict[str, tuple[type[Any], str, str]] = {
    **POINTS,
    "before-submit": (TorqueScheduler, "submit", "before"),
    "submitted": (TorqueScheduler, "submit", "after"),
    "queues-wanted": (Queues, "fitted", "before"),
    "queues-known": (Queues, "fitted", "after"),
    "command-begun": (commands._Input, "__exit__", "before-with-input"),
    "command-ended": (commands.Commands, "act", "after"),
    "accepted": (Poll, "accepted", "after"),
    "question-due": (JobCache, "ask", "before-of-a-job"),
    "question-noted": (Store, "write_answer", "after"),
}
"""Where a server dies that submits them to a batch system: its qsub lives on, in a process group of its own."""
LATER = ("start", "submit", "endpoint", "fitted", "act", "ask")
WHEN: dict[str, Callable[..., bool]] = {
    "after": lambda *_: True,
    "before": lambda *_, **__: True,
    "after-with-job-id": lambda _, record: record.job_id is not None,
    "before-with-input": lambda given, *_: bool(given.text),
    "before-of-a-job": lambda _, job_ids, **__: bool(job_ids),
}


def die() -> None:
    """No handler, no cleanup."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(kind: type[Any], name: str, when: str) -> None:
    """Wraps one method so that the process dies before or after it."""
    method: Callable[..., Any] = getattr(kind, name)
    now = WHEN[when]

    @functools.wraps(method)
    def dying(*args: Any, **kwargs: Any) -> Any:
        if when.startswith("before") and now(*args, **kwargs):
            die()
        found = method(*args, **kwargs)
        if when.startswith("after") and now(*args):
            die()
        return found

    @functools.wraps(method)
    async def dying_later(*args: Any, **kwargs: Any) -> Any:
        if when.startswith("before") and now(*args, **kwargs):
            die()
        found = await method(*args, **kwargs)
        if when.startswith("after"):
            die()
        return found

    setattr(kind, name, dying_later if name in LATER else dying)


if __name__ == "__main__":
    system, point = (Path.home() / "crash-at").read_text().split()
    timings.READY_INTERVAL = 2.0  # points of a question to the batch system would be waited for a minute
    arm(*(POINTS if system == "local" else BATCH_POINTS)[point])
    main()
