"""What bare `qconnect` does inside a session: shows its display, or has one opened, and says how to look at it."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from pathlib import Path

from ..sessions.manager import SessionManager
from ..values.session import Session
from .addresses import advice
from .exits import Exit, Stop
from .options import job_here
from .screen import Screen

OPENS_WITHIN_S = 60.0


def is_inside() -> bool:
    """Whether this shell belongs to a session."""
    return bool(os.environ.get("QCONNECT") and job_here())


async def show_display(manager: SessionManager, screen: Screen) -> Exit:
    """Prints the session's display as lines for a shell (`eval "$(qconnect)"`), and in words how to see it."""
    session = await manager.find(job_here() or "")
    if session.connection and session.connection.terminal and not session.connection.display:
        screen.note("This session has no display yet; opening one.")
        session = await _add_display(manager, session)
    connection = session.connection
    if connection is None or not connection.display:
        raise Stop(f"No display could be opened on this node. Look at: qconnect --log {session.id}", Exit.TOOL_MISSING)
    screen.print(f"export DISPLAY={shlex.quote(connection.display)}")
    if connection.terminal:
        screen.print(f"export XAUTHORITY={shlex.quote(str(_runtime(connection.terminal) / 'Xauthority'))}")
    screen.note(f"Windows of this session {session.id} open on display {connection.display}. To see them:")
    screen.note(f"  {advice(session.id)}")
    screen.note(f"  On a display of your own, in a terminal outside: qconnect --connect-gui {session.id}")
    return Exit.DONE


def _runtime(terminal: str) -> Path:
    return Path(terminal).parent


async def _add_display(manager: SessionManager, session: Session) -> Session:
    """Asks the job's supervisor, through its own pipe, for a display; returns the session when it has answered."""
    assert session.connection is not None
    assert session.connection.terminal is not None
    published = session.connection.time
    pipe = _runtime(session.connection.terminal) / "events"
    try:
        handle = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(handle, b"display 0\n")
        finally:
            os.close(handle)
    except OSError as error:
        raise Stop(
            f"This session cannot be asked for a display from here ({error.strerror}).", Exit.TOOL_MISSING
        ) from error
    until = time.monotonic() + OPENS_WITHIN_S
    with manager.watching():
        while time.monotonic() < until:
            await asyncio.sleep(0.2)
            session = await manager.find(session.id)
            if session.connection and session.connection.time > published:
                break
    return session
