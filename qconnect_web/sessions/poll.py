"""The one poll loop: it looks at the session folders, asks the scheduler when due, and derives every session.

The folders are cheap and tell of start and end at once, so they are looked at often while somebody waits; the
scheduler is asked seldom (see `job_cache`). Nothing here is state that a restart would lose.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from ..aio import happens, stop
from ..errors import DamagedFile, QConnectError, SchedulerFailed
from ..values.job import Job, JobState
from ..values.session import Session, SessionState
from . import pace
from .adopt import abandoned, adopted, write_late
from .job_cache import JobBook, Word
from .runs import Generations
from .store import Facts, Store

GLANCE = 15.0
"""Seconds for which one listing counts as somebody watching: pages that poll ask more often than this."""
SETTLE = 30.0
"""Seconds after a job's end for which its folder is still read: its last words may arrive after the scheduler's."""
JUST_SUBMITTED = 5.0


class Poll:
    """Keeps `sessions` (by key) true, wakes whoever waits for a change, and tells the listeners of each one."""

    def __init__(self, store: Store, book: JobBook, log: logging.Logger) -> None:
        self.sessions: dict[str, Session] = {}
        self.listeners: list[Callable[[Session], None]] = []
        self.looked = asyncio.Event()
        self.problems: dict[str, str] = {}
        self._store, self._book, self._log = store, book, log
        self._facts: dict[str, Facts] = {}
        self._damaged: dict[str, Session] = {}
        self._announced: dict[str, tuple[str | None, float]] = {}
        self._adopted: dict[str, str] = {}
        self._settled: dict[str, float] = {}
        self._generations = Generations()
        self._watchers = 0
        self._glanced = float("-inf")
        self._wake = asyncio.Event()
        self._changed = asyncio.Event()
        self._looking = asyncio.Lock()
        self._asking: asyncio.Task[None] | None = None
        self._closed = False

    async def run(self) -> None:
        """Looks and asks until it is closed; a failure is logged and costs one round."""
        await asyncio.to_thread(self._recall)
        while not self._closed:
            self._wake.clear()
            try:
                await self.look()
            except (OSError, QConnectError) as error:
                self._problem("", f"The session folders cannot be read: {error}")
            self.looked.set()
            self._ask_if_due()
            await happens(self._wake, self._pause())

    async def close(self) -> None:
        """Ends the loop, and a question that is under way."""
        self._closed = True
        self._wake.set()
        if self._asking:
            await stop(self._asking)

    def hurry(self) -> None:
        """Something changed: look and ask right away."""
        self._book.hurry()
        self._wake.set()

    def glance(self) -> None:
        """Somebody looked at the list once."""
        if not self.watched:
            self._wake.set()
        self._glanced = time.monotonic()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Somebody looks for as long as this is open."""
        self._watchers += 1
        self._wake.set()
        try:
            yield
        finally:
            self._watchers -= 1

    @property
    def watched(self) -> bool:
        return self._watchers > 0 or time.monotonic() - self._glanced < GLANCE

    @property
    def live(self) -> int:
        """How many sessions have not ended."""
        return len(self._live())

    async def change(self, timeout: float) -> None:
        """Waits until any session changed, at most `timeout` seconds."""
        await happens(self._changed, timeout)

    async def look(self) -> None:
        """Reads the folders and derives the sessions anew; one look at a time, so that none brings back the past."""
        async with self._looking:
            self._facts = await asyncio.to_thread(self._read)
            self.problems.pop("", None)
            self._derive()

    async def look_now(self) -> None:
        """Looks on somebody's behalf; a file system that hangs costs five seconds and leaves the last look standing."""
        with suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(self.look(), 5)

    async def asked(self) -> None:
        """Waits for one whole question to the scheduler that was put after a look; bounded by its own time-outs."""
        self._glanced = time.monotonic()
        await self.looked.wait()
        if self._asking:
            await asyncio.shield(self._asking)

    def accepted(self, key: str, job_id: str) -> None:
        """The scheduler has just taken this session's job; its record may not say so yet."""
        self._adopted[key] = job_id
        self._book.accepted(job_id)
        self._wake.set()

    def _recall(self) -> None:
        with suppress(OSError, QConnectError):  # an unreadable answer is just no answer
            self._book.load()

    def _read(self) -> dict[str, Facts]:
        """All folders' facts (in a thread); a folder that cannot be trusted is reported once and left alone."""
        found, damaged = {}, {}
        for key in self._store.list_keys():
            try:
                facts = (self._facts.get(key) if key in self._settled else None) or self._store.read(key)
            except (OSError, QConnectError) as error:
                self._problem(key, f"The session folder {key} is not used: {error}")
                if isinstance(error, DamagedFile):
                    damaged[key] = Session.damaged(key, error.since, error.message)
                continue
            self.problems.pop(key, None)
            if facts:
                found[key] = facts
        self._damaged = damaged
        return found

    def _problem(self, key: str, message: str) -> None:
        if self.problems.get(key) != message:
            self.problems[key] = message
            self._log.warning(message)

    def _derive(self) -> None:
        """Derives every session from its facts and the scheduler's last word; tells the listeners what changed."""
        before, self.sessions = self.sessions, dict(self._damaged)
        for key, facts in self._facts.items():
            if session := self._session(key, facts):
                self.sessions[key] = session
                self._settle(key, session)
        for gone in set(self._announced) - set(self._facts):
            del self._announced[gone]
            self._settled.pop(gone, None)
            self._adopted.pop(gone, None)
            self._generations.forget(gone)
        changed = [new for key, new in self.sessions.items() if _visible(before.get(key)) != _visible(new)]
        if changed or set(before) - set(self.sessions):
            self._changed.set()
            self._changed = asyncio.Event()
        for session in changed:
            for listener in self.listeners:
                listener(session)

    def _session(self, key: str, facts: Facts) -> Session | None:
        record = facts.record
        if record.job_id is None and (spoken := facts.connection or facts.end):  # the job itself tells its id
            self._adopted.setdefault(key, spoken.job)
        job_id = record.job_id or self._adopted.get(key)
        if not job_id:
            return None
        record = replace(record, job_id=job_id)
        self._announce(key, facts)
        word = self._book.word(job_id, record.submitted)
        if word.asked > self._announced[key][1]:
            facts = self._generations.current(key, facts, word.job)
        facts = self._generations.living(key, facts)
        job = self._job(word, key, facts)
        return Session(record, job, facts.connection, facts.end, self._book.stale_since, facts.damage)

    def _announce(self, key: str, facts: Facts) -> None:
        """Notes when a run, its display or its end was first seen: the scheduler is then asked again at once.

        A batch system is not asked about a run without a display yet: that it runs is told by the run itself.
        """
        sign = f"{facts.run} {facts.connection is not None} {facts.end is not None}"
        if self._announced.get(key, ("",))[0] != sign:
            self._announced[key] = (sign, time.monotonic())
            if facts.run and (self._book.scheduler.cheap or facts.connection or facts.end):
                self._book.hurry()

    def _job(self, word: Word, key: str, facts: Facts) -> Job:
        """The scheduler's word, unless the job itself has spoken since."""
        job = word.job
        if facts.end and word.misses:  # it is over and the scheduler has forgotten it
            return replace(job, state=JobState.COMPLETED, exit_status=facts.end.exit_status)
        spoke_since = facts.run is not None and self._announced[key][1] > word.asked
        if spoke_since and job.state in (JobState.QUEUED, JobState.HELD, JobState.UNKNOWN):
            return replace(job, state=JobState.RUNNING, node=facts.connection.node if facts.connection else job.node)
        return job

    def _settle(self, key: str, session: Session) -> None:
        """A session that is over, and has been for a while, needs no more looks."""
        over = session.end.time if session.end else session.job.ended
        if session.state.final and time.time() - (over or session.record.created) > SETTLE:
            self._settled[key] = time.time()
        else:
            self._settled.pop(key, None)

    def _live(self) -> list[Session]:
        return [session for session in self.sessions.values() if not session.state.final]

    def _pending(self) -> bool:
        return any(session.state is not SessionState.READY for session in self._live())

    def _pause(self) -> float:
        """Seconds until the next look."""
        pending = self._pending() or (not self.watched and bool(self._intents()))
        return pace.pause(watched=self.watched, pending=pending, opening=self._opening())

    def _opening(self) -> bool:
        """Whether a run was first seen a moment ago and has said nothing since."""
        since = time.monotonic() - pace.OPENS_WITHIN
        begun = (key for key, facts in self._facts.items() if facts.run and not (facts.connection or facts.end))
        return any(key in self._announced and self._announced[key][1] > since for key in begun)

    def _intents(self) -> list[Facts]:
        """Sessions without a job id whose submission is no longer under way."""
        return [
            facts
            for key, facts in self._facts.items()
            if facts.record.job_id is None and key not in self._adopted and abandoned(facts.record, time.time())
        ]

    def _late(self) -> dict[str, str]:
        """The job ids that are known here and are not in their records yet: {session key: job id}."""
        facts = self._facts
        return {key: job_id for key, job_id in self._adopted.items() if key in facts and not facts[key].record.job_id}

    def _ask_if_due(self) -> None:
        wanted = self._pending() or bool(self._intents()) or (self.watched and bool(self._live()))
        idle = not self._closed and (self._asking is None or self._asking.done())
        if wanted and idle and self._book.due_in(time.monotonic()) <= 0:
            self._asking = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        """One question to the scheduler for all that is not over, and the adoption of jobs whose record is late."""
        asked_for = [session.id for session in self._live()]
        try:
            intents = [facts.record for facts in self._intents()]
            mine = await self._book.ask(asked_for, all_mine=bool(intents))
            if intents and mine is not None:
                self._adopted |= await asyncio.to_thread(adopted, intents, mine, self._store)
            await asyncio.to_thread(write_late, self._late(), self._store)
            self.problems.pop("scheduler", None)
        except (SchedulerFailed, OSError) as error:
            self._problem("scheduler", str(error))
        self._derive()
        self._book.forget({session.id for session in self.sessions.values()})
        pending = self._pending() or bool(self._intents())
        self._book.postpone(pending=pending, watched=self.watched, moving=self._moving())
        self._wake.set()

    def _moving(self) -> bool:
        """Whether a job is between two states right now, so that the next answer is worth having soon."""
        now = time.time()
        return any(
            session.state is SessionState.ENDING
            or (
                self._book.scheduler.cheap
                and session.state is SessionState.QUEUED
                and now - (session.record.submitted or 0) < JUST_SUBMITTED
            )
            for session in self._live()
        )


def _visible(session: Session | None) -> object:
    """What of a session its user can see change."""
    if session is None:
        return None
    run, job = session.connection and session.connection.run, session.job
    told = (run, session.end, session.stale_since, session.damage)
    return (session.state, job.state, job.node, job.comment, job.exit_status, *told)
