"""The one poll loop: it looks at the session folders, and asks the scheduler when due.

The folders are cheap and tell of start and end at once, so they are looked at often while somebody waits; the
scheduler is asked seldom (question_budget). What both say is joined in `known`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress

from ..aio import happens, stop
from ..errors import DamagedFile, Forbidden
from ..values.session import Record, Session
from . import timings
from .adopt import abandoned, adopted, write_late
from .clock import now
from .job_cache import JobCache
from .known import Known, derive
from .observers import Observers
from .problems import Problems
from .stops import Stops
from .store import Facts, Store

FOLDERS, SCHEDULER, LISTENERS = "", "scheduler", "listeners"
"""What can have a problem, beside the single session folders (`folder/KEY`)."""


class Poll:
    """Keeps `known` true, and tells the observers of each change."""

    def __init__(self, store: Store, cache: JobCache, log: logging.Logger) -> None:
        self.known = Known()
        self.looked = asyncio.Event()
        self.problems = Problems(log)
        self._wake = asyncio.Event()
        self.observers = Observers(self._wake.set)
        self._store, self._cache = store, cache
        self.stops = Stops(cache.scheduler, store)
        self._damaged: dict[str, Session] = {}
        self._looking = asyncio.Lock()
        self._asking: asyncio.Task[None] | None = None
        self._closed = False

    async def run(self) -> None:
        """Looks and asks until it is closed; a failure is logged and costs one round."""
        with self.problems.over(FOLDERS):
            await self._cache.load()
        while not self._closed:
            self._wake.clear()
            with self.problems.over(FOLDERS, "The session folders cannot be read: "):
                await self.look()
            self.looked.set()
            self._ask_if_due()
            await happens(self._wake, _pause(self.known, watched=self.observers.watched))

    async def close(self) -> None:
        """Ends the loop, and a question that is under way."""
        self._closed = True
        self._wake.set()
        if self._asking:
            await stop(self._asking)

    def hurry(self) -> None:
        """Something changed: look and ask right away."""
        self._cache.budget.hurry(now())
        self._wake.set()

    def accepted(self, key: str, job_id: str) -> None:
        """The scheduler has just taken this session's job; its record may not say so yet."""
        self.known = self.known.adopting({key: job_id})
        self._cache.accepted(job_id)
        self._wake.set()

    async def look(self) -> None:
        """Reads the folders and derives the sessions anew; one look at a time, so that none brings back the past."""
        async with self._looking:
            facts, self._damaged, unread = await asyncio.to_thread(_read, self._store, self.known)
            troubles = {**unread, **{key: session.damage or "" for key, session in self._damaged.items()}}
            for key in facts.keys() - troubles.keys():
                self.problems.end(f"folder/{key}")
            for key, trouble in troubles.items():
                self.problems.begin(f"folder/{key}", f"The session folder {key} is not used: {trouble}")
            self._derive(facts)

    async def look_now(self) -> None:
        """Looks on somebody's behalf; a file system that hangs costs a while and leaves the last look standing."""
        with suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(self.look(), timings.LOOK_PATIENCE)

    async def asked(self) -> None:
        """Waits for one whole question to the scheduler that was put after a look; bounded by its own time-outs."""
        self.observers.glance()
        await self.looked.wait()
        if self._asking:
            await asyncio.shield(self._asking)

    def _derive(self, facts: Mapping[str, Facts]) -> None:
        """Derives the sessions, and tells of those that changed.

        That a job runs, and has a display, is told by its run; that it is over, by the scheduler alone.
        """
        moment = now()
        self.known = known = derive(
            self.known, facts, self._cache.statuses, self._cache.stale_since, moment, self._damaged
        )
        if any(new.end for new in known.news):
            self._cache.budget.hurry(moment)
        elif known.news:
            self._cache.budget.expect(moment)
        if known.changed or known.gone:
            with self.problems.over(LISTENERS, "A change of a session was not told: "):
                self.observers.tell(known.changed)

    def _ask_if_due(self) -> None:
        known, watched = self.known, self.observers.watched
        wanted = known.owed or bool(_intents(known)) or (watched and bool(known.live))
        idle = not self._closed and (self._asking is None or self._asking.done())
        if wanted and idle and self._cache.budget.due_in(now()) <= 0:
            self._asking = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        """One question to the scheduler, and what follows from its answer, or from there being none."""
        with self.problems.over(SCHEDULER):
            await self._question()
        with self.problems.over(FOLDERS):
            self._derive(self.known.facts)
        self._cache.forget({session.id for session in self.known.sessions.values()})
        moment, pending = now(), self.known.pending or bool(_intents(self.known))
        moving = self.known.moving(moment, cheap=self._cache.scheduler.cheap)
        self._cache.budget.postpone(moment, pending=pending, watched=self.observers.watched, moving=moving)
        self._wake.set()

    async def _question(self) -> None:
        """Asks for all that is not over, adopts jobs whose record is late, and sends refused stops again."""
        intents = _intents(self.known)
        mine = await self._cache.ask([session.id for session in self.known.live], all_mine=bool(intents))
        if intents and mine is not None:
            found = await asyncio.to_thread(adopted, intents, mine, self._store)
            self.known = self.known.adopting(found)
        await asyncio.to_thread(write_late, self.known.late, self._store)
        if await self.stops.send_again(self.known.live):
            self._cache.budget.hurry(now())


def _pause(known: Known, *, watched: bool) -> float:
    """Seconds until the next look: the more somebody waits for what it may say, the sooner."""
    if not watched:
        return timings.LOOK_PENDING if known.pending or _intents(known) else timings.LOOK_IDLE
    if not known.pending:
        return timings.LOOK_WATCHED
    return timings.LOOK_OPENING if known.opening(now()) else timings.LOOK_WAITING


def _intents(known: Known) -> list[Record]:
    """Sessions without a job id whose submission is no longer under way."""
    moment = time.time()
    return [record for record in known.intents if abandoned(record, moment)]


def _read(store: Store, before: Known) -> tuple[dict[str, Facts], dict[str, Session], dict[str, str]]:
    """All folders' facts (in a thread); the sessions that are damaged, with why, and what could not be read just now.

    Of the last, and of those that are settled, the facts are those from `before`.
    """
    settled = before.settled
    found: dict[str, Facts] = {}
    damaged: dict[str, Session] = {}
    unread: dict[str, str] = {}
    for key in store.list_keys():
        try:
            if facts := settled.get(key) or store.read(key):
                found[key] = facts
        except DamagedFile as error:
            damaged[key] = Session.damaged(key, error.since, error.message)
        except (Forbidden, PermissionError) as error:
            damaged[key] = Session.damaged(key, store.since(key), str(error))
        except OSError as error:  # a file system that is away for a moment takes no session from its user
            unread[key] = str(error)
            found |= {key: before.facts[key]} if key in before.facts else {}
    return found, damaged, unread
