"""One visit to a session: found or started, waited for, shown, and left again without harm."""

from __future__ import annotations

import argparse
import time
from contextlib import AsyncExitStack

from ..errors import QConnectError, UnknownSession
from ..sessions.audit import TERMINAL, Audit, Deed
from ..sessions.manager import SessionManager
from ..values.session import Session, SessionState
from . import native_viewer, tables, terminals
from .addresses import advice
from .exits import Exit, Stop
from .screen import Screen
from .selection import Wanted, spec, wanted
from .waiting import ended, until_ready, until_settled

HUNG_UP_S = 5.0
"""Seconds for which a session whose display hung up is given time to say that it has ended."""


class Visit:
    """What the options ask for, carried out.

    `session` is the one that is being visited, as soon as it is known; `showing` says whether its viewer is open.
    """

    def __init__(
        self, manager: SessionManager, options: argparse.Namespace, screen: Screen, *, ssh: list[str], audit: Audit
    ) -> None:
        self.session: Session | None = None
        self.showing = False
        self._manager, self._options, self._screen, self._ssh, self._audit = manager, options, screen, ssh, audit

    async def named(self, job_id: str) -> Session:
        """The session of that id; raises UnknownSession, with the list of those that there are."""
        try:
            self.session = await self._manager.find(job_id)
        except UnknownSession as error:
            alive = [session for session in await self._manager.list() if not session.state.final]
            if alive:
                self._screen.note(tables.sessions(alive, self._screen))
            raise UnknownSession(
                f"There is no session {job_id}." + (" Those above are there." if alive else " You have none at all.")
            ) from error
        return self.session

    async def found_or_started(self) -> Session:
        """The session that the options mean: the one that the rule finds, else a new one."""
        meant = wanted(self._options)
        if not self._options.create:
            everything = await self._manager.list()
            if chosen := meant.choose([session for session in everything if not session.state.final]):
                self._tell_choice(meant, chosen)
                self.session = chosen
                return chosen
        return await self._start(meant)

    def _tell_choice(self, meant: Wanted, chosen: Session) -> None:
        what = f"{chosen.id} ({chosen.record.spec.name}, {chosen.state.value.lower()})"
        fits = "" if meant.fits(chosen) else "You have no terminal session. "
        self._screen.note(f"{fits}Connecting to session {what}. For a new one, add --create.")
        options = self._options
        if any(value is not None for value in (options.cores, options.mem, options.walltime, options.queue)):
            self._screen.note("What you ask of the batch system counts for new sessions only; this one stays as it is.")

    async def _start(self, meant: Wanted) -> Session:
        app, command = meant.app_to_start(self._manager.apps)
        if app.kind == "terminal" and self._attaches:
            terminals.refuse_nesting()
        asked = spec(self._options, app, command)
        with self._audit.deed("start", TERMINAL, app=app.name) as deed:
            self.session = deed.session = await self._manager.start(app.name, asked, command)
        self._screen.note(f"Job {self.session.record.spec.name} created with job id {self.session.id}")
        return self.session

    async def stop(self, session: Session) -> Session:
        """Ends the session; returns it as it is then."""
        with self._audit.deed("stop", TERMINAL, job=session.id) as deed:
            deed.session = session
            return await self._manager.stop(session.id)

    @property
    def _attaches(self) -> bool:
        """Whether the session is to be shown here: a person sits at a terminal and did not ask for something else."""
        options = self._options
        return self._screen.tty and not (options.json or options.url is not None or options.wait)

    async def show(self, session: Session) -> Exit:
        """Connects the user to a session, as far as that is possible here."""
        if not self._attaches:
            if self._options.wait:
                self.session = await until_settled(self._manager, session, self._screen)
            elif _ending(session):
                self._screen.note(ended(session).message)
                return Exit.DIED
            return Exit.DONE
        if _ending(session):
            raise ended(session)
        if session.record.kind == "terminal":
            return await self._show_terminal(session)
        return await self.show_windows(session)

    async def _show_terminal(self, session: Session) -> Exit:
        """The terminal here, and its windows on the user's display for as long as it is attached, where that works."""
        terminals.refuse_nesting()
        if self._screen.dumb and not self._screen.nameless:
            raise Stop(
                f"This terminal cannot move its cursor (TERM=dumb), so tmux cannot be shown in it. Session "
                f"{session.id} is there; open it from another one, or try: TERM=vt100 qconnect {session.id}",
                Exit.TOOL_MISSING,
            )
        session = self.session = await until_ready(self._manager, session, self._screen)
        async with AsyncExitStack() as stack:
            if session.connection and session.connection.display and not native_viewer.lacking(session):
                try:
                    await stack.enter_async_context(native_viewer.viewer(self._manager, session))
                except QConnectError as error:
                    self._screen.note(f"Its windows cannot be shown here. {error.message}")
            shared = stack.enter_context(self._manager.sharing(session))  # who logged in for the windows need not again
            self._audit.note(Deed("open", session=session), TERMINAL, "done")
            return await terminals.attach(session, [*self._ssh, *shared], self._screen)

    async def show_windows(self, session: Session) -> Exit:
        """The session's windows on the user's own display, else the address for the browser."""
        why = native_viewer.lacking(session)
        if why:
            self._screen.print(advice(session.id))
        session = self.session = await until_ready(self._manager, session, self._screen)
        if why:
            self._tell_native(session, why)
            return Exit.DONE
        self._screen.note(
            f"Showing session {session.id}. Closing its window, or Ctrl-C here, only leaves it: the program goes on. "
            f"End it with: qconnect --stop {session.id}"
        )
        async with native_viewer.viewer(self._manager, session) as shown:
            self.showing = True
            self._audit.note(Deed("open", session=session), TERMINAL, "done")
            status = await shown.wait()
            words = shown.last_words()
        self.showing = False
        session = await self._after(session, HUNG_UP_S if shown.hung_up else 0.0)
        return self._left(session, status, words)

    def _tell_native(self, session: Session, why: str) -> None:
        self._screen.note(f"Its windows cannot be shown in this terminal: {why}. The session is ready.")
        self._screen.note(
            f"Where there is a display and {native_viewer.program(session)}: qconnect --connect-gui {session.id}"
        )
        if line := native_viewer.command(session, self._manager.folder(session)):
            self._screen.note(f"Without qconnect, where the home folder is the same: {line}")

    async def _after(self, session: Session, patience: float) -> Session:
        """The session now; within `patience` seconds as over, as its display goes before its end is written down."""
        until = time.monotonic() + patience
        while not _over(session := await self._manager.find(session.id)) and time.monotonic() < until:
            await self._manager.change(0.2)
        return session

    def _left(self, session: Session, status: int, words: str) -> Exit:
        """What became of the session that the viewer was closed on."""
        if _over(session):
            self._screen.note(f"Session {session.id} has ended.")
            return Exit.DONE
        if status not in (0, -2, 130):
            raise Stop(
                f"{native_viewer.program(session)} could not show session {session.id}: {words}. The session goes on.",
                Exit.LOST,
            )
        self._screen.note(f"Session {session.id} goes on. Come back with: qconnect {session.id}")
        return Exit.DONE


def _over(session: Session) -> bool:
    """Whether nothing of the session can be shown any more."""
    return session.end is not None or _ending(session)


def _ending(session: Session) -> bool:
    """Whether it has ended, or is told to."""
    return session.state.final or session.state is SessionState.ENDING
