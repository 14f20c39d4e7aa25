"""Who did what to which session, from where, and what came of it: in the log, and in the site's audit file."""

from __future__ import annotations

import json
import logging
import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ..errors import QConnectError
from ..plain_text import escaped
from ..values.session import Session
from .audit_file import AuditFile

LONGEST = 128
"""Characters of a value: some are as the request has them."""


@dataclass(frozen=True)
class Caller:
    """Who asks for a deed: `origin` is the address that they come from, `user` their name as Jupyter knows it."""

    origin: str
    user: str | None = None


TERMINAL = Caller("terminal")
"""Whoever runs `qconnect`: the account says who that is."""
BATCH = Caller("batch")
"""The job's own end, or the batch system's word on it."""


@dataclass
class Deed:
    """What is done, to what; `session` as soon as it is known, until then the names that it was asked for by."""

    event: str
    job: str | None = None
    app: str | None = None
    session: Session | None = None


class Audit:
    """Notes deeds: `start`, `open`, `stop`, `remove`, and each `end` that is seen."""

    def __init__(self, log: logging.Logger, file: AuditFile | None = None) -> None:
        self.listeners: list[Callable[[Deed, str], None]] = []
        """Hear of each deed and its result."""
        self._log, self._file = log, file
        self._live: set[str] = set()

    @contextmanager
    def deed(self, event: str, caller: Caller, *, job: str | None = None, app: str | None = None) -> Iterator[Deed]:
        """Notes the deed when it is done, and with the reason when it was not."""
        deed = Deed(event, job, app)
        try:
            yield deed
        except BaseException as error:
            self.note(deed, caller, error.reason if isinstance(error, QConnectError) else "broken-off")
            raise
        self.note(deed, caller, "done")

    def seen(self, session: Session) -> None:
        """A session has changed: notes its end, once, if it was seen alive."""
        key = session.record.key
        if not session.state.final:
            self._live.add(key)
        elif key in self._live:
            self._live.discard(key)
            self.note(Deed("end", session=session), BATCH, session.state.value.lower())

    def note(self, deed: Deed, caller: Caller, result: str) -> None:
        """One line in the log, one in the file."""
        session = deed.session
        job, app = (session.id, session.record.app) if session else (deed.job, deed.app)
        named = " ".join(part for part in (_plain(job), f"({_plain(app)})" if app else "") if part)
        self._log.info("qconnect: %s of session %s from %s: %s", deed.event, named or "?", caller.origin, result)
        for listener in self.listeners:
            listener(deed, result)
        if self._file:
            what = {"event": deed.event, "result": result, "job": job, "app": app}
            key = session.record.key if session else None
            self._file.put(_line({**what, "session": key, "user": caller.user, "from": caller.origin, **_account()}))

    def close(self) -> None:
        """Waits, for a bounded time, until all is written."""
        if self._file:
            self._file.close()


def _account() -> dict[str, Any]:
    """Whose server, or terminal, this is."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's user may have no account
        name = None
    return {"uid": uid, "account": name}


def _line(entry: dict[str, Any]) -> str:
    """A line of JSON in which nothing moves or hides anything, with the time first."""
    moment = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    short = {name: value[:LONGEST] if isinstance(value, str) else value for name, value in entry.items()}
    return json.dumps({"time": moment, **short}, ensure_ascii=True)


def _plain(text: str | None) -> str:
    return escaped((text or "")[:LONGEST])
