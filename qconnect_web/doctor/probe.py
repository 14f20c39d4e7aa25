"""`qconnect --doctor --probe`: one small real job, its node seen from inside, its display reached, and its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import QConnectError
from ..sessions.describe import reason
from ..values.app import App
from ..values.session import Session, SessionState
from . import node
from .findings import Finding, Level
from .reach import reach

if TYPE_CHECKING:
    from ..config import QConnect
    from ..sessions.manager import SessionManager

PATIENCE_S = 300.0
"""Seconds that the job may wait in its queue and start; a probe is not worth more."""
REPORT_S = 20.0
"""Seconds that the node may take to look at itself once its display is there."""
END_S = 60.0
"""Seconds in which a job that was told to end should be gone."""
STEP_S = 1.0
APP = App(
    name="doctor",
    title="Doctor",
    description="A small job that looks at its node",
    category="Other",
    icon=Path("icons/command.svg"),
    kind="gui",
    command=("bash", "-c", node.SCRIPT.read_text(encoding="utf-8")),
    opengl=True,
    resources={"cores": 1, "memory": "512MB", "walltime": "00:15:00"},
)
Tell = Callable[[str], None]


@dataclass
class Probe:
    """One probe: its job, and what was found so far; `tell` hears what it waits for."""

    settings: QConnect
    manager: SessionManager
    tell: Tell

    async def run(self, spec: dict[str, Any]) -> list[Finding]:
        """All findings; the job is ended and forgotten again, also when this is cancelled. The manager must be open."""
        began = time.monotonic()
        try:
            session = await self.manager.start(APP, spec)
        except QConnectError as error:
            advice = "Correct what it names: users' sessions are refused in the same way."
            return [Finding("submission", Level.PROBLEM, f"No job could be started: {error.message}", advice)]
        found = [Finding("submission", Level.OK, f"The batch system took the job {session.id}.")]
        try:
            found += await self._look(session, began)
        finally:
            end = await asyncio.shield(self._end(session))
        return [*found, end]

    async def _look(self, session: Session, began: float) -> list[Finding]:
        session = await self._started(session, began + PATIENCE_S)
        waited = time.monotonic() - began
        if session.state is not SessionState.READY or session.connection is None:
            return [_not_ready(session, waited)]
        found = [
            Finding("start", Level.OK, f"Its display was there after {waited:.1f} s."),
            node.clock(session.connection),
        ]
        self.tell(f"Reaching {session.connection.node}")
        found.append(await reach(self.settings, self.manager, session))
        said = await self._report(session)
        return found + await asyncio.to_thread(node.judge, said, session.connection, self.settings.client_dirs)

    async def _started(self, session: Session, until: float) -> Session:
        """The session when it is READY, when it is over, or when the time is up."""
        waiting = (SessionState.READY, SessionState.ENDING)
        with self.manager.watching():
            while session.state not in waiting and not session.state.final and time.monotonic() < until:
                self.tell(f"{session.state.value}: {reason(session) or ''}")
                await self.manager.change(STEP_S)
                session = await self.manager.find(session.id)
        return session

    async def _report(self, session: Session) -> dict[str, str]:
        """What the node said of itself, in so far as it has come to its end."""
        until, said = time.monotonic() + REPORT_S, dict[str, str]()
        while "end" not in said and time.monotonic() < until:
            said = node.report(await self.manager.log(session.id))
            await asyncio.sleep(0 if "end" in said else STEP_S / 4)
        return said

    async def _end(self, session: Session) -> Finding:
        """Ends the job and removes its folder, or says why that did not go."""
        began = time.monotonic()
        try:
            session = await self.manager.stop(session.id)
            with self.manager.watching():
                while not session.state.final and time.monotonic() - began < END_S:
                    self.tell("Ending the job")
                    await self.manager.change(STEP_S)
                    session = await self.manager.find(session.id)
        except QConnectError as error:
            advice = f"End it by hand: qconnect --stop {session.id}"
            return Finding("end", Level.PROBLEM, f"The job could not be ended: {error.message}", advice)
        if not session.state.final:
            words = f"The job {session.id} was told to end and is still there after {END_S:.0f} s."
            return Finding("end", Level.WARNING, words, f"Look at it with: qconnect --log {session.id}")
        with suppress(QConnectError):  # the list removes by itself what has ended
            await self.manager.forget(session.id)
        return Finding("end", Level.OK, f"The job was ended within {time.monotonic() - began:.1f} s.")


def _not_ready(session: Session, waited: float) -> Finding:
    """A job without a display: over, or waiting for longer than a probe does."""
    why = reason(session) or f"It is {session.state.value}."
    if session.state.final or session.state is SessionState.ENDING:
        advice = (
            "What a user's session would say, too. If the node says nothing at all, see whether it has the folder of "
            "the sessions (c.QConnect.sessions_dir), writable for you."
        )
        return Finding("start", Level.PROBLEM, f"The job ended without a display. {why}", advice)
    advice = "Try again when the cluster is less busy, or name a queue for short jobs with --queue NAME."
    return Finding("start", Level.WARNING, f"After {waited:.0f} s the job has no display yet. {why}", advice)
