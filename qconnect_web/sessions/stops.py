"""Ends the jobs of sessions; a stop that the batch system did not take is told, and sent again by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from ..errors import QConnectError, SchedulerFailed, SchedulerUnavailable
from ..schedulers import Scheduler
from ..values.session import Record, Session
from . import timings
from .store import Store


class Stops:
    """The stops that this process sent or will send again; what was refused stands in the session's record."""

    def __init__(self, scheduler: Scheduler, store: Store) -> None:
        self._scheduler, self._store = scheduler, store
        self._tries: dict[str, tuple[int, float]] = {}
        """{session key: (times sent again, when last)}, by the monotonic clock."""

    async def send(self, session: Session) -> None:
        """Has the session's job ended, by its user's will; raises SchedulerFailed when that is not taken."""
        self._tries.pop(session.record.key, None)
        await self._note(session, lambda record: replace(record, stopped=time.time(), refused=None))
        await self._cancel(session)

    async def send_again(self, sessions: Iterable[Session]) -> bool:
        """Sends the stops again that were refused, or came to nothing, now that the batch system answers.

        Each further apart than the time before; whether one was taken.
        """
        waiting = [session for session in sessions if _unheeded(session)]
        self._tries = {session.record.key: self._tried(session) for session in waiting}
        taken = False
        for session in waiting:
            if not self._due(session):
                continue
            try:
                await self._cancel(session)
                taken = True
            except SchedulerUnavailable:  # so are the others
                break
            except QConnectError:  # its reason stands in the record
                continue
        return taken

    def _tried(self, session: Session) -> tuple[int, float]:
        ago = time.time() - (session.record.stopped or 0.0)
        return self._tries.get(session.record.key, (0, time.monotonic() - ago))

    def _due(self, session: Session) -> bool:
        """Whether to send it again now, which is noted then."""
        times, last = self._tried(session)
        wait = min(timings.STOP_STEP * 2.0 ** min(times, 32), timings.STOP_INTERVAL)
        if time.monotonic() < last + wait:
            return False
        self._tries[session.record.key] = (times + 1, time.monotonic())
        return True

    async def _cancel(self, session: Session) -> None:
        try:
            await self._scheduler.cancel(session.id)
        except SchedulerFailed as error:
            refused = error.message
            await self._note(session, lambda record: replace(record, refused=refused))
            raise
        await self._note(session, lambda record: replace(record, refused=None))

    async def _note(self, session: Session, change: Callable[[Record], Record]) -> None:
        """Changes the session's record; one that cannot be written keeps nobody from ending what fills the disk."""
        with suppress(OSError, QConnectError):
            await asyncio.to_thread(self._write, session.record.key, change)

    def _write(self, key: str, change: Callable[[Record], Record]) -> None:
        facts = self._store.read(key)  # anew: another server may have written, or removed, it meanwhile
        if facts and (record := change(facts.record)) != facts.record:
            self._store.write(record)


def _unheeded(session: Session) -> bool:
    """Whether the session goes on though it was stopped, and the batch system refused or seems to have forgotten it."""
    record = session.record
    if record.stopped is None or session.state.final:
        return False
    return record.refused is not None or time.time() - record.stopped > timings.STOP_WITHIN
