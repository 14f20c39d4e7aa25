"""Starts, lists, finds, stops and forgets sessions; the one core behind every front door."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from ..aio import happens
from ..apps.catalogue import Catalogue
from ..errors import NotReady, QConnectError, SchedulerFailed, SchedulerUnavailable, UnknownSession
from ..schedulers import Scheduler
from ..transports import Transport
from ..transports.endpoint import Endpoint
from ..values.app import App
from ..values.session import Record, Session
from . import describe, timings
from .connect import Connector
from .job_cache import JobCache
from .limits import Allowance, Limits
from .poll import SCHEDULER, Poll
from .queues import Queues
from .start import Submission
from .store import LOGS, Store

LOG_LIMIT = 64 * 1024
LATE = (
    "The batch system has not confirmed the job yet. It is still being asked: if it takes the job, the session appears "
    "in the list by itself. Look there before you start another."
)
Sessions = list[Session]
Arguments = list[str]


class SessionManager:
    """The sessions of one user: everything that a front door can ask for."""

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        transport: Transport,
        store: Store,
        apps: Catalogue,
        render: Callable[[App, Record], str],
        limits: Limits,
        log: logging.Logger,
    ) -> None:
        self.apps = apps
        self.scheduler = scheduler
        self._transport, self._store, self._limits = transport, store, limits
        self._cache = cache = JobCache(scheduler, store, limits.questions_per_minute)
        self.queues = Queues(cache)
        self._poll = Poll(store, cache, log)
        self._connector = Connector(transport=transport, store=store, poll=self._poll, cache=cache)
        self._log = log
        self._submission = Submission(
            scheduler=scheduler,
            store=store,
            apps=apps,
            render=render,
            queues=self.queues,
            allowance=Allowance(limits),
            poll=self._poll,
            log=log,
        )
        self._tasks: set[asyncio.Task[Any]] = set()

    # ------------------------------------------------------------------ life of the manager
    async def open(self) -> None:
        """Makes the sessions folder and starts the poll loop."""
        await asyncio.to_thread(self._store.prepare)
        self._keep(asyncio.create_task(self._poll.run()))

    async def close(self) -> None:
        """Stops the poll loop; jobs go on, submissions under way are finished first (bounded). Also if never opened."""
        await self._poll.close()
        for task in self._tasks:
            if task.get_name() != "submit":
                task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timings.CLOSE_WITHIN)
        await self.queues.close()  # a submission may have waited for their answer
        await self._transport.close()

    def on_change(self, listener: Callable[[Session], None]) -> None:
        """Calls `listener` with every session that changed, from now on."""
        self._poll.observers.listeners.append(listener)

    def watching(self) -> AbstractContextManager[None]:
        """Somebody looks at the sessions while this is open: changes are noticed sooner."""
        return self._poll.observers.watching()

    async def change(self, timeout: float) -> None:
        """Waits until something changed, at most `timeout` seconds."""
        await self._poll.observers.change(timeout)

    # ------------------------------------------------------------------ looking
    async def list(self) -> Sessions:
        """All sessions, newest first, from what is known now: never waits for the scheduler."""
        self._poll.observers.glance()
        await happens(self._poll.looked, timings.FIRST_LOOK)
        found = sorted(self._poll.known.sessions.values(), key=lambda session: session.record.created, reverse=True)
        return [session for session in found if not self._expired(session)]

    async def find(self, job_id: str) -> Session:
        """The session of a job id, or of its number alone when that names just one; raises UnknownSession."""
        self._poll.observers.glance()
        await happens(self._poll.looked, timings.FIRST_LOOK)
        found = self._named(job_id)
        if not found:
            await self._poll.look_now()  # another server or the command line may just have started it
            found = self._named(job_id)
        if len(found) != 1:
            raise UnknownSession(f"There is no session {job_id}. Look at the list of your sessions for those you have.")
        return found[0]

    async def refresh(self, patience: float | None = None) -> str | None:
        """Waits, at most `patience` seconds, for the scheduler's own word; returns why there is none, if so."""
        try:
            await asyncio.wait_for(self._poll.asked(), patience)
        except asyncio.TimeoutError:
            return f"The batch system has not answered within {patience:g} seconds."
        return self._poll.problems.of(SCHEDULER) or await self._cache.unanswered()

    @property
    def answered(self) -> float | None:
        """When the scheduler last answered, to whatever server or command line (epoch seconds)."""
        return self._cache.budget.answered

    def _named(self, job_id: str) -> Sessions:
        sessions = self._poll.known.sessions.values()
        exact = [session for session in sessions if session.id == job_id]
        return exact or [session for session in sessions if session.id.partition(".")[0] == job_id]

    def describe(self, session: Session, base_url: str) -> dict[str, Any]:
        """The session as JSON, for REST, the page and the events."""
        return describe.describe(session, base_url)

    async def log(self, job_id: str) -> str:
        """The ends of the session's logs, each under its name."""
        session = await self.find(job_id)
        parts = []
        for name in LOGS:
            text = await asyncio.to_thread(self._store.text, session.record.key, name, LOG_LIMIT)
            if text and (told := describe.without_noise(text).rstrip()):
                parts.append(f"== {name}\n{told}\n")
        return "\n".join(parts)

    def folder(self, session: Session) -> Path:
        """Where the session's files are."""
        return self._store.folder(session.record.key)

    async def script(self, job_id: str) -> str:
        """The job script as it was submitted; raises NotReady when the session was submitted by hand."""
        session = await self.find(job_id)
        text = await asyncio.to_thread(self._store.text, session.record.key, "job.sh", 1 << 20)
        if text is None:
            raise NotReady("This session was submitted by hand, so its script was not kept here.", reason="by-hand")
        return text

    async def preview(self, app: str, spec: dict[str, Any], command: Arguments | None = None) -> str:
        """The job script that `start` would submit; raises as it does, limits of numbers apart. Nothing is written."""
        return await self._submission.preview(app, spec, command)

    # ------------------------------------------------------------------ starting
    async def start(
        self,
        app: str | App,
        spec: dict[str, Any],
        command: Arguments | None = None,
        idempotency_key: str | None = None,
        *,
        patient: bool = True,
    ) -> Session:
        """Starts an app, mostly one of the catalogue by its name, in a job of its own; one key gives one session.

        Who is not `patient` is answered in time, also while the batch system thinks. Raises UnknownApp, BadRequest,
        TooManyRequests, StorageFailed, SchedulerFailed and its heirs.
        """
        task = asyncio.create_task(self._submission.start(app, spec, command, idempotency_key), name="submit")
        self._keep(task)
        try:  # who asked may hang up; the job's record must still be written
            return await asyncio.wait_for(asyncio.shield(task), None if patient else timings.START_PATIENCE)
        except asyncio.TimeoutError:
            raise SchedulerUnavailable(LATE, reason="unconfirmed") from None

    async def unavailable(self, app: App) -> str | None:
        """Why the app cannot be started here, in one sentence; None when it can, or when only a node could tell."""
        return await self._submission.unavailable(app)

    async def fit(self, session: Session, width: int, height: int) -> None:
        """Tells a job that is still starting how large the window is that waits for it; only a help, never a must."""
        with suppress(OSError, QConnectError):
            await asyncio.to_thread(self._store.write_screen, session.record.key, width, height)

    # ------------------------------------------------------------------ ending
    async def stop(self, job_id: str) -> Session:
        """Cancels the session's job, also one that the scheduler only does not know any more; one that is over stays.

        Raises SchedulerFailed and its heirs when that is refused, which then stands in the session's reason.
        """
        session = await self.find(job_id)
        if session.state.final and not session.may_run:
            return session
        try:
            await self._poll.stops.send(session)
        except SchedulerFailed:
            await self._poll.look_now()
            raise
        self._poll.hurry()
        await self._poll.look_now()
        return await self.find(session.id)

    async def forget(self, job_id: str) -> None:
        """Removes an ended session and its folder; raises NotReady while it lives, or may live."""
        session = await self.find(job_id)
        if not session.state.final:
            raise NotReady("The session is still there. Stop it first, then remove it.", reason="still-alive")
        if session.may_run:
            raise NotReady(
                "The batch system does not know the session's job any more, but the job has not said that it ended: it "
                f"may still run. End it first, with: qconnect --stop {session.id}",
                reason="may-run",
            )
        await asyncio.to_thread(self._store.remove, session.record.key)
        self._connector.reached(session)
        await self._poll.look_now()

    def _expired(self, session: Session) -> bool:
        """An ended session older than the site keeps them, removed on the way; one that is damaged, or was forgotten by
        the scheduler, is the user's to remove: its job may still run."""
        over = session.end.time if session.end else (session.job.ended or session.record.created)
        kept = session.damage or session.may_run or not session.state.final
        old = not kept and time.time() - over > self._limits.keep_ended_days * 86400
        if old:
            self._keep(asyncio.create_task(asyncio.to_thread(self._store.remove, session.record.key)))
        return old

    # ------------------------------------------------------------------ connecting
    async def endpoint(self, job_id: str, timeout: float) -> tuple[Session, Endpoint]:
        """Waits, at most `timeout` seconds, until the session is READY; returns it and where to dial.

        The scheduler's word on a display that was lost may take five seconds more.
        Raises UnknownSession, NotReady (it ended, or the time is up), Unreachable, IdentityMismatch.
        """
        return await self._connector.endpoint(job_id, timeout, self.find)

    def lost(self, session: Session) -> None:
        """Its display hung up or cannot be reached: the scheduler is asked before it is dialled again."""
        self._connector.lost(session)

    def reached(self, session: Session) -> None:
        """Its display answers."""
        self._connector.reached(session)

    def retry(self, session: Session) -> None:
        """The user is at the session's page and wants its node tried, and to be asked if need be, at once."""
        if session.connection:
            self._transport.retry(session.connection.node)

    def sharing(self, session: Session) -> AbstractContextManager[Arguments]:
        """Words for `ssh` to a READY session's node, by which it need not log in again; none where it must."""
        assert session.connection is not None
        return self._transport.sharing(session.connection.node)

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        """A task that broke (a fault of ours) is heard of, also when nobody waits for it."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, QConnectError):
            self._log.error("A task of the sessions broke.", exc_info=error)
