"""What each option does: the one place that reads them all."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import BadRequest
from ..sessions import timings
from ..sessions.manager import SessionManager
from ..values.session import Session
from . import tables
from .addresses import address, base_url
from .exits import Exit, Stop
from .inside_job import is_inside, show_display
from .options import job_here
from .screen import Screen, clock
from .selection import spec, wanted
from .show import Visit

if TYPE_CHECKING:
    from ..config import QConnect
    from ..schedulers.detect import Flavour

Deed = Callable[[SessionManager, Visit], Awaitable[Exit]]


def site_ssh(site: QConnect) -> list[str]:
    """The site's ssh with its settings, for a person at a terminal: what it asks, it asks them itself."""
    file = ["-F", str(Path(site.ssh_config).expanduser())] if site.ssh_config else []
    return [site.ssh_command, *file, *(part for option in site.ssh_options for part in ("-o", option))]


def _age(answered: float | None) -> str:
    """How old what is shown is."""
    if answered is None:
        return "It never has yet: what is shown is what the sessions' own files tell."
    return f"What is shown is what it said {clock(time.time() - answered)} ago, and what the sessions' own files tell."


class Command:
    """One run of `qconnect`."""

    def __init__(self, options: argparse.Namespace, screen: Screen) -> None:
        self._options, self._screen = options, screen
        self._visit: Visit | None = None
        self._began = time.monotonic()

    async def run(self) -> Exit:
        """Does what the options say."""
        from ..config import config_file, site_settings
        from ..site import audit_of, build_sessions, flavour_of
        from .prompts import TtyAsker

        if self._options.generate_config:
            self._screen.print(config_file().rstrip())
            return Exit.DONE
        deed = self._deed()
        site = site_settings()
        flavour = flavour_of(site)
        manager = build_sessions(site, flavour, TtyAsker(self._screen))
        audit = audit_of(site)
        self._visit = Visit(manager, self._options, self._screen, ssh=site_ssh(site), audit=audit)
        try:
            if self._options.doctor:
                return await self._doctor(site, manager, flavour)
            if deed in (self._apps, self._preview):
                return await deed(manager, self._visit)
            await manager.open()
            stale = await manager.refresh(timings.LIST_PATIENCE if deed == self._list else None)
            if stale:
                self._screen.note(f"{stale}\n{_age(manager.answered)}")
            done = await deed(manager, self._visit)
            return Exit.UNKNOWN if stale and done is Exit.DONE else done
        finally:
            await manager.close()
            audit.close()

    def interrupted(self) -> tuple[str, Exit]:
        """What to say after Ctrl-C, and the exit status: where a viewer was shown, that is how one leaves it."""
        visit = self._visit
        if visit is None or visit.session is None:
            return "Interrupted; nothing was started.", Exit.INTERRUPTED
        job_id = visit.session.id
        status = Exit.DONE if visit.showing else Exit.INTERRUPTED
        return f"Left. Session {job_id} goes on. Come back with: qconnect {job_id}", status

    # ------------------------------------------------------------------ which deed
    def _deed(self) -> Deed:
        """The deed that the options name; raises BadRequest when they name none or several."""
        options = self._options
        named: list[Deed] = []
        named += [self._list] if options.list or options.all else []
        named += [self._apps] if options.apps else []
        named += [self._log] if options.log is not None else []
        named += [self._stop] if options.stop is not None else []
        named += [self._connect_gui] if options.connect_gui is not None else []
        if options.probe and not options.doctor:
            raise BadRequest("A probe is part of an examination. Run: qconnect --doctor --probe")
        if len(named) + options.doctor > 1:
            raise BadRequest("Only one of --list, --apps, --doctor, --log, --stop and --connect-gui at a time.")
        if named:
            return named[0]
        if options.script:
            return self._kept_script if self._job_id() else self._preview
        if self._job_id():
            return self._open
        asks_nothing = not (
            options.gui or options.app or options.vnc or options.create or options.json or options.url is not None
        )
        return self._inside if is_inside() and asks_nothing else self._find_or_start

    def _job_id(self, value: str | None = None) -> str | None:
        """The job id that was given, in whatever way; raises BadRequest when two differ."""
        options = self._options
        given = {found for found in (options.job_id, options.job, options.url, value) if found}
        if len(given) > 1:
            raise BadRequest(f"Give one job id, not {', '.join(sorted(given))}.")
        return given.pop() if given else None

    def _must_name(self, value: str | None, option: str) -> str:
        job_id = self._job_id(value)
        if not job_id:
            raise BadRequest(f"Say which session: qconnect {option} JOB_ID. To see them: qconnect --list")
        return job_id

    # ------------------------------------------------------------------ the deeds
    async def _list(self, manager: SessionManager, visit: Visit) -> Exit:
        found = await manager.list()
        shown = found if self._options.all else [session for session in found if not session.state.final]
        if self._options.json:
            self._print_json(manager, shown)
        elif shown:
            self._screen.print(tables.sessions(shown, self._screen))
        else:
            self._screen.print("No running jobs")
            over = f" {len(found)} ended: qconnect --all" if found else ""
            self._screen.note(f"Start a terminal with: qconnect, or a program with: qconnect -g CMD.{over}")
        return Exit.DONE

    async def _apps(self, manager: SessionManager, visit: Visit) -> Exit:
        rows = [
            {"Name": app.name, "Title": app.title, "Type": tables.KINDS.get(app.kind, "gui")}
            for app in manager.apps.apps()
        ]
        if self._options.json:
            self._screen.print(json.dumps(rows, indent=2))
        else:
            lines = tables.fit(("Name", "Type", "Title"), rows, ("Type",), "Title", self._screen.width)
            self._screen.print("\n".join(lines))
        for problem in manager.apps.problems:
            self._screen.note(problem)
        return Exit.DONE

    async def _doctor(self, site: QConnect, manager: SessionManager, flavour: Flavour) -> Exit:
        from ..doctor import Level, examine, to_json, worst
        from ..doctor.probe import APP, Probe

        found = await examine(site, manager, flavour)
        if self._options.probe:
            await manager.open()
            found += await Probe(site, manager, self._tell).run(spec(self._options, APP, None))
        as_json = json.dumps(to_json(found), indent=2)
        self._screen.print(as_json if self._options.json else tables.findings(found, self._screen))
        return Exit.UNHEALTHY if worst(found) is Level.PROBLEM else Exit.DONE

    def _tell(self, words: str) -> None:
        """What a probe waits for, in the terminal's last line."""
        self._screen.progress(" ".join(words.split()), time.monotonic() - self._began)

    async def _log(self, manager: SessionManager, visit: Visit) -> Exit:
        session = await visit.named(self._must_name(self._options.log, "--log"))
        self._screen.print((await manager.log(session.id)).rstrip() or "There is no log yet.")
        return Exit.DONE

    async def _stop(self, manager: SessionManager, visit: Visit) -> Exit:
        session = await visit.named(self._must_name(self._options.stop, "--stop"))
        over = session.state.final
        session = await visit.stop(session)
        if self._options.json:
            self._print_json(manager, [session])
        else:
            self._screen.note(f"Session {session.id} {'had ended already' if over else 'is being ended'}.")
        return Exit.DONE

    async def _connect_gui(self, manager: SessionManager, visit: Visit) -> Exit:
        if is_inside():
            raise Stop(
                f"You are inside session {job_here()}, where there is no display of your own. Run this in a terminal "
                "outside; here, `qconnect` alone prints how to see this session's windows.",
                Exit.REFUSED,
            )
        session = await visit.named(self._must_name(self._options.connect_gui, "--connect-gui"))
        return await visit.show_windows(session)

    async def _kept_script(self, manager: SessionManager, visit: Visit) -> Exit:
        session = await visit.named(self._must_name(None, "--script"))
        self._screen.exact((await manager.script(session.id)).rstrip("\n"))
        return Exit.DONE

    async def _preview(self, manager: SessionManager, visit: Visit) -> Exit:
        app, command = wanted(self._options).app_to_start(manager.apps)
        script = await manager.preview(app.name, spec(self._options, app, command), command)
        self._screen.exact(script.rstrip("\n"))
        return Exit.DONE

    async def _inside(self, manager: SessionManager, visit: Visit) -> Exit:
        return await show_display(manager, self._screen)

    async def _open(self, manager: SessionManager, visit: Visit) -> Exit:
        return await self._connect(manager, visit, await visit.named(self._must_name(None, "")))

    async def _find_or_start(self, manager: SessionManager, visit: Visit) -> Exit:
        return await self._connect(manager, visit, await visit.found_or_started())

    async def _connect(self, manager: SessionManager, visit: Visit, session: Session) -> Exit:
        """Shows the session, or prints what was asked for instead."""
        done = await visit.show(session)
        session = visit.session or session
        if self._options.json:
            self._print_json(manager, [session])
        elif self._options.url is not None:
            self._screen.print(address(session.id))
        elif not self._screen.tty or self._options.wait:
            self._screen.print(f"{session.id} {session.state.value} {address(session.id)}")
        return done

    def _print_json(self, manager: SessionManager, found: list[Session]) -> None:
        base = urlsplit(base_url() or "/").path
        ordered = sorted(found, key=lambda session: tables.number(session.id))
        self._screen.print(json.dumps([manager.describe(session, base) for session in ordered], indent=2))
