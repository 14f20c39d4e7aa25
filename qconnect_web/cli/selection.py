"""Which session is meant: what the user asked for, and the one rule that finds a session for it.

Of the sessions that fit, a running one goes before one that waits, and the lower job id before the higher. Nothing
asked for means a terminal; only then, and only when there is none, any other session that runs will do.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ..apps.answers import from_text
from ..apps.checks import CHECKS, suggest
from ..apps.limits import may_choose
from ..errors import BadRequest
from ..values.session import Session, SessionState
from .tables import number

if TYPE_CHECKING:
    from ..apps.catalogue import Catalogue
    from ..values.app import App

TERMINAL = "tmux"
"""The app of a terminal session."""
DESKTOP = "vnc"
"""The app of `--vnc`."""
ANY = "command"
"""The app that takes any command."""
RUNNING = (SessionState.READY, SessionState.STARTING, SessionState.SUSPENDED)
WAITING = (SessionState.QUEUED, SessionState.HELD, SessionState.UNREACHABLE)
SUFFIX = {"terminal": "int_tmux", "vnc": "int_vnc"}
"""How job names end, as in qconnect 1.8.1; all other kinds: `<program>_int_gui`."""


@dataclass(frozen=True)
class Wanted:
    """What was asked for: an app by name, or a command, or (neither) just a terminal."""

    app: str | None = None
    command: tuple[str, ...] = ()

    def fits(self, session: Session) -> bool:
        """Whether a session is of the kind that was asked for."""
        record = session.record
        if self.command:
            there = _words(record.command)
            return there == self.command or (len(self.command) == 1 and _program(there) == self.command[0])
        return record.app == self.app if self.app else record.kind == "terminal"

    def choose(self, sessions: Sequence[Session]) -> Session | None:
        """The session to connect to, by the rule; None when a new one must be started."""
        alive = sorted(sessions, key=lambda session: number(session.id))
        fitting = [session for session in alive if self.fits(session)]
        others = [] if self.app or self.command else alive
        for group, states in ((fitting, RUNNING), (fitting, WAITING), (others, RUNNING)):
            for session in group:
                if session.state in states:
                    return session
        return None

    def app_to_start(self, apps: Catalogue) -> tuple[App, list[str] | None]:
        """The app for a new session and the command for it: a catalogue's own app where one runs just that command."""
        if not self.command:
            return apps.get(self.app or TERMINAL), None
        for app in apps.apps():
            if self.command in (app.command, (app.name,)) and not app.takes_command:
                return app, None
        return apps.get(ANY), list(self.command)


def wanted(options: argparse.Namespace) -> Wanted:
    """What the options ask for; raises BadRequest when they contradict each other or the command is not one."""
    if [options.gui is not None, options.app is not None, options.vnc].count(True) > 1:
        raise BadRequest("Give one of --gui, --app and --vnc, not both.")
    if options.gui is None:
        return Wanted(app=DESKTOP if options.vnc else options.app)
    try:
        command = tuple(shlex.split(options.gui))
    except ValueError as error:
        raise BadRequest(f"The command {options.gui!r} cannot be read: {error}. Quote it as for a shell.") from None
    if not command:
        raise BadRequest("The command is empty. Write it like: qconnect -g 'gimp picture.png'")
    return Wanted(command=command)


def spec(options: argparse.Namespace, app: App, command: Sequence[str] | None) -> dict[str, Any]:
    """What the options ask of the batch system; memory that was not given grows with the cores (see submission)."""
    asked: dict[str, Any] = {}
    if may_choose(app, "name"):
        asked["name"] = job_name(options.name, app, command)
    for key in CHECKS.keys() - {"name", "memory"}:
        if getattr(options, key) is not None:
            asked[key] = getattr(options, key)
    if options.mem is not None:
        asked["memory"] = options.mem
    if options.set:
        asked["fields"] = answers(options.set, app)
    return asked


def answers(given: Sequence[str], app: App) -> dict[str, Any]:
    """The answers to the app's own questions, from `FIELD=VALUE`; raises BadRequest."""
    fields, found = {field.name: field for field in app.fields}, {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise BadRequest(f"--set {text[:60]!r} sets nothing. Write it like: --set version=5.11")
        if name not in fields:
            hint = suggest(name, fields) if fields else "It has none."
            raise BadRequest(f"{app.title} has no field {name[:40]!r}. {hint}")
        found[name] = from_text(fields[name], value)
    return found


def job_name(name: str | None, app: App, command: Sequence[str] | None) -> str:
    """`NAME_int_tmux`, or `NAME_<program>_int_gui`; NAME_ only when one was given."""
    program = _program(command) if command else app.name
    ending = SUFFIX.get(app.kind, f"{program}_int_gui")
    return (f"{name}_{ending}" if name else ending)[:100]


def _words(command: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a command, also of one that was typed on a page and is run by a shell."""
    if command[:2] == ("bash", "-c") and len(command) == 3:
        with suppress(ValueError):
            return tuple(shlex.split(command[2]))
    return command


def _program(command: Sequence[str]) -> str:
    return PurePath(command[0]).name if command else ""
