"""A Jupyter server that kills itself (SIGKILL) at the point named in `$HOME/crash-at`; run by test_crashes."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_server.serverapp import main

from qconnect_web.schedulers.local import LocalScheduler
from qconnect_web.sessions import SessionManager
from qconnect_web.store import Store
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


def die() -> None:
    """No handler, no cleanup."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(kind: type[Any], name: str, when: str) -> None:
    """Wraps one method so that the process dies before or after it."""
    method: Callable[..., Any] = getattr(kind, name)

    @functools.wraps(method)
    def dying(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            die()
        found = method(*args, **kwargs)
        if when == "after" or args[1].job_id:
            die()
        return found

    @functools.wraps(method)
    async def dying_later(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            die()
        await method(*args, **kwargs)
        die()

    setattr(kind, name, dying_later if name in ("start", "submit", "endpoint") else dying)


if __name__ == "__main__":
    arm(*POINTS[(Path.home() / "crash-at").read_text().strip()])
    main()
