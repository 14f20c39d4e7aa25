"""From a click to a job: what is asked is checked, written down as an intent, submitted, and written down again."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from ..apps.answers import handed, worded
from ..apps.catalogue import Catalogue
from ..apps.checks import MAX_NAME, noun
from ..apps.form import defaults, usual_memory
from ..apps.limits import bounded_memory, may_choose
from ..errors import BadFields, BadRequest, QConnectError, SchedulerFailed, SchedulerUnavailable, StorageFailed
from ..schedulers import Scheduler
from ..values.app import App
from ..values.job import Job, JobSpec, JobState
from ..values.session import Record, Session
from . import timings
from .adopt import submitter
from .limits import Allowance
from .poll import Poll
from .queues import Queues
from .store import Store


class Submission:
    """Starts sessions; the same idempotency key, from whatever server, gives the same session."""

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        store: Store,
        apps: Catalogue,
        render: Callable[[App, Record], str],
        queues: Queues,
        allowance: Allowance,
        poll: Poll,
        log: logging.Logger,
    ) -> None:
        self._scheduler, self._store, self._apps, self._render = scheduler, store, apps, render
        self._queues, self._allowance, self._poll, self._log = queues, allowance, poll, log

    async def start(
        self, app: str | App, spec: dict[str, Any], command: list[str] | None, idempotency_key: str | None
    ) -> Session:
        """Starts an app in a job of its own; see SessionManager.start."""
        chosen = self._apps.get(app) if isinstance(app, str) else app
        record = self._record(chosen, spec, command, idempotency_key, await self._default_queue(chosen))
        if not await self._same_request(record.key):
            record, script = await self._prepared(record, chosen, spec)
            self._allowance.take(len(self._poll.known.live))
            if await self._create(record):
                return await self._submit(record, script)
        return await self._wait_for_same(record.key)

    async def preview(self, app: str, spec: dict[str, Any], command: list[str] | None) -> str:
        """The script that `start` would submit; see SessionManager.preview."""
        chosen = self._apps.get(app)
        record = self._record(chosen, spec, command, None, await self._default_queue(chosen))
        _, script = await self._prepared(record, chosen, spec)
        return script

    async def _prepared(self, record: Record, app: App, asked: dict[str, Any]) -> tuple[Record, str]:
        """The record as it can be submitted and its script; raises BadRequest for what cannot be started here."""
        await self._check_available(app)
        record = await self._fitted(record, app, asked)
        return record, self._render(app, record)

    async def _fitted(self, record: Record, app: App, asked: dict[str, Any]) -> Record:
        """The record with the memory that is usual where nobody decided it; raises BadRequest (see Queues.fitted).

        The user decides it, and so does the app for the cores that it asks for itself; more cores mean more memory.
        """
        fixed = "cores" not in asked or not may_choose(app, "memory")
        decided = "memory" in asked or record.spec.memory != defaults(app)["memory"]  # by one of the app's rules
        if decided or ("memory" in app.resources and fixed):
            return replace(record, spec=await self._queues.fitted(record.spec, memory_given=True))
        usual = replace(record.spec, memory=usual_memory(app, record.spec.cores))
        fitted = await self._queues.fitted(usual, memory_given=False)
        return replace(record, spec=replace(fitted, memory=bounded_memory(app, fitted.memory_bytes)))

    async def _default_queue(self, app: App) -> str | None:
        """The queue of a job that names none, where the app's rules ask for it."""
        return await self._queues.default() if any("queue" in rule["if"] for rule in app.rules) else None

    def _record(
        self,
        app: App,
        given: dict[str, Any],
        command: list[str] | None,
        idempotency_key: str | None,
        default_queue: str | None,
    ) -> Record:
        words = _command(app, command)
        spec = self._apps.job_spec(app, _named(app, given, words), default_queue)
        self._check_known(app, spec)
        return Record(
            key=_key(idempotency_key),
            app=app.name,
            title=app.title,
            spec=spec,
            command=words if app.takes_command else worded(words, handed(app.fields, spec.fields)),
            created=time.time(),
            kind=app.kind,
            window=app.window,
            submitter=submitter(),
            idempotency_key=idempotency_key,
        )

    def _check_known(self, app: App, spec: JobSpec) -> None:
        """Raises BadFields for what the user asks of a batch system that has no notion of it."""
        asked, own = spec.to_json(), {**defaults(app), "native": list(defaults(app)["native"])}
        unknown = [key for key in sorted(self._scheduler.ignores) if asked[key] != own[key]]
        if unknown:
            words = "This batch system knows nothing of it. Leave it out."
            raise BadFields.of({key: f"The {noun(key)} cannot be asked for here. {words}" for key in unknown})

    async def _create(self, record: Record) -> bool:
        """Writes the intent down, before anything is submitted; raises StorageFailed."""
        try:
            return await asyncio.to_thread(self._store.create, record)
        except OSError as error:
            raise StorageFailed(
                f"The session could not be written below {self._store.root}: {error.strerror}. Nothing was started. "
                "Make room there (look at your quota), then try again."
            ) from error

    async def _submit(self, record: Record, script: str) -> Session:
        """Intent is on disk: submits, and writes the record again with the job id."""
        try:
            await asyncio.to_thread(self._store.write_script, record.key, script)
            folder = self._store.folder(record.key)
            job_id = await self._scheduler.submit(script, record.spec, session=record.key, folder=folder)
        except SchedulerUnavailable:
            with suppress(OSError):  # the job may exist: the intent stays, given up by us, and is adopted if it does
                await asyncio.to_thread(self._store.write, replace(record, submitter=None))
            self._poll.hurry()
            raise
        except (BadRequest, SchedulerFailed, OSError) as error:
            await asyncio.to_thread(self._store.remove, record.key)
            if isinstance(error, OSError):
                raise StorageFailed(
                    f"The job script could not be written below {self._store.root}: {error.strerror}. Nothing was "
                    "started. Make room there (look at your quota), then try again."
                ) from error
            _tell_at_gpus(error, record.spec)
            raise
        record = replace(record, job_id=job_id, submitted=time.time())
        try:
            await asyncio.to_thread(self._store.write, record)
        except OSError as error:  # a disk that is full just now: the poll writes it later
            self._log.warning(f"The job id {job_id} could not be written to {folder} yet: {error}")
        self._poll.accepted(record.key, job_id)
        await self._poll.look_now()
        return self._poll.known.sessions.get(record.key) or Session(record, Job(job_id, JobState.QUEUED))

    async def _same_request(self, key: str) -> bool:
        return await asyncio.to_thread(self._store.read, key) is not None

    async def _wait_for_same(self, key: str) -> Session:
        """The session that an earlier request with the same idempotency key has started or is starting."""
        deadline = time.monotonic() + timings.SAME_REQUEST
        with self._poll.observers.watching():
            while time.monotonic() < deadline:
                await self._poll.look_now()
                if session := self._poll.known.sessions.get(key):
                    return session
                await self._poll.observers.change(timings.SAME_REQUEST_STEP)
        raise SchedulerUnavailable(
            "The same request was sent before and the scheduler has not confirmed it yet. "
            "If it took the job, the session appears in the list within a minute."
        )

    async def _check_available(self, app: App) -> None:
        """Refuses an app whose program a job would not find, where that can be known from here."""
        if reason := await self.unavailable(app):
            raise BadRequest(reason, reason="app-unavailable")

    async def unavailable(self, app: App) -> str | None:
        """Why the app cannot be started here, in one sentence; None when it can, or when only a node could tell."""
        own = app.kind == "vnc" and await asyncio.to_thread(has_xstartup)
        found = await self._scheduler.available(app.requires) if app.requires and not (app.setup or own) else None
        missing = [program for program, there in (found or {}).items() if not there]
        if not missing:
            return None
        names = ", ".join(f"`{program}`" for program in missing)
        other = (
            "make a desktop of your own in ~/.vnc/xstartup (executable)" if app.kind == "vnc" else "choose another app"
        )
        return f"{app.title} needs {names}, which was not found on this machine. Install it, or {other}."


def _tell_at_gpus(error: QConnectError, spec: JobSpec) -> None:
    """Has a refusal for want of what nodes have stand at the GPUs where some were asked for: few nodes have them."""
    if error.reason in ("limits", "request-form") and spec.gpus and not error.fields:
        error.fields = {"gpus": error.message}


def has_xstartup() -> bool:
    """Whether the user has a desktop of their own for VNC, which then needs none of the app's programs."""
    path = Path.home() / ".vnc/xstartup"
    return path.is_file() and os.access(path, os.X_OK)


def _key(idempotency_key: str | None) -> str:
    """A folder name: random, or the same for the same idempotency key, so that two servers make one folder."""
    if idempotency_key is None:
        return secrets.token_hex(12)
    if not 1 <= len(idempotency_key) <= 255 or not idempotency_key.isprintable():
        raise BadRequest("The Idempotency-Key must have 1 to 255 printable characters.")
    return "i" + hashlib.sha256(idempotency_key.encode()).hexdigest()[:24]


def _named(app: App, spec: dict[str, Any], command: tuple[str, ...]) -> dict[str, Any]:
    """What is asked for, with a typed program's name as the session's where the user gave none."""
    if not app.takes_command or not may_choose(app, "name"):
        return spec
    line = command[2].split() if command[:2] == ("bash", "-c") and len(command) > 2 else command
    program = PurePosixPath([*line, ""][0]).name
    return {"name": program[:MAX_NAME], **spec} if program.strip() and program.isprintable() else spec


def _command(app: App, command: list[str] | None) -> tuple[str, ...]:
    """The argument list to run: the app's own, or the user's where the app takes one."""
    if not app.takes_command:
        if command is not None:
            raise BadRequest(f"{app.title} has its own command. Choose “Any command” to give one.")
        return app.command
    words_given = isinstance(command, list) and all(isinstance(word, str) for word in command)
    if not command or not words_given or not command[0].strip():
        raise BadRequest('Give the command as a list of words, like ["gimp", "picture.png"].')
    if sum(map(len, command)) > 32 * 1024:
        raise BadRequest("The command is longer than 32 KiB. Put it into a script and run that.")
    return tuple(command)
