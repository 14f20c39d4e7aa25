"""Waits until a session can be shown, and says meanwhile what it waits for."""

from __future__ import annotations

import time

from ..sessions.describe import reason
from ..sessions.manager import SessionManager
from ..values.session import Session, SessionState
from .exits import Exit, Stop
from .screen import Screen

TICK_S = 1.0
"""Seconds between two looks at the clock; a change is noticed at once."""

SETTLE_S = 3.0
"""Seconds from a display's opening within which a program that cannot run has failed and its job has said so."""


async def until_ready(manager: SessionManager, session: Session, screen: Screen) -> Session:
    """The session, READY; raises Stop when it ends instead. Ctrl-C is the caller's, and never touches the job."""
    began = time.monotonic()
    if session.state is not SessionState.READY:
        screen.note(f"Waiting for session {session.id}. You can safely press Ctrl-C and come back later with:")
        screen.note(f"    qconnect {session.id}")
    with manager.watching():
        while session.state is not SessionState.READY:
            if session.state.final or session.state is SessionState.ENDING:
                raise ended(session)
            screen.progress(f"{session.state.value}: {says(session)}", time.monotonic() - began)
            await manager.change(TICK_S)
            session = await manager.find(session.id)
    return session


async def until_settled(manager: SessionManager, session: Session, screen: Screen) -> Session:
    """The session, READY, with a program that did not fail as soon as it began; raises Stop when it ends instead.

    A terminal's program has begun by then, and is a shell.
    """
    session = await until_ready(manager, session, screen)
    if session.record.kind == "terminal":
        return session
    opened = session.connection.time if session.connection else 0
    until = time.monotonic() + min(SETTLE_S, SETTLE_S - (time.time() - opened))  # the node's clock may be ahead
    with manager.watching():
        while session.state is SessionState.READY and time.monotonic() < until:
            await manager.change(TICK_S)
            session = await manager.find(session.id)
    if session.state.final or session.state is SessionState.ENDING:
        raise ended(session)
    return session


def says(session: Session) -> str:
    """The session's reason in one line without control characters."""
    return " ".join((reason(session) or "").split())


def ended(session: Session) -> Stop:
    """The word that a session is over, with what to look at."""
    over = session.state.final or session.end
    why = session.end.message if session.end else says(session) if over else ""
    return Stop(
        f"Session {session.id} {'has ended' if over else 'is ending'}. {why}".rstrip()
        + f"\nSee its log with: qconnect --log {session.id}",
        Exit.DIED,
    )
