"""What the scheduler last said of each job, how old that is, and when it is worth asking again.

The answer lies beside the session folders (`.answer.json`), so that several servers and the command line together ask
no more often than one of them would, and so that a finished job's exit status outlives the scheduler's memory of it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ..errors import BadRequest, QConnectError, SchedulerFailed
from ..schedulers import Scheduler
from ..values.job import Job, JobState
from ..values.reader import moment, whole
from .store import Store

PENDING_INTERVAL = 10.0
"""Seconds between two questions while something is not yet READY and somebody watches."""
READY_INTERVAL = 60.0
"""Seconds between two questions while all is READY, or while nobody watches what is pending."""
MAX_INTERVAL = 120.0
SPREAD = 0.2
"""Intervals are this much longer at random, never shorter, so that servers do not ask in step."""
FIRST_STEP = 0.25
"""Seconds to the second look after something changed; doubles until it reaches the interval."""
FIRST_STEP_DEAR = 2.0
"""The same for a batch system, whose every answer is a command."""
ELSEWHERE_STEP = 1.0
"""Seconds between two looks at whether another server, which is asking just now, has its answer."""
WINDOW = 60.0
"""Seconds within which a user's servers and command lines together put so many questions (`most`) to a batch system."""
MISSES = 3
MISSING_FOR = 60.0
"""A job is gone when this many answers over this many seconds did not know it: unknown is not gone."""
JUST_TAKEN = 60.0
"""Seconds after its submission for which a job that nobody has asked about yet is known to be queued."""
NEVER = float("-inf")
MISSED = whole(0, 1 << 31)
T = TypeVar("T")


@dataclass(frozen=True)
class Word:
    """The scheduler's last word on a job; `asked` is the monotonic time when that question was put."""

    job: Job
    asked: float
    misses: int = 0
    missing_since: float | None = None


def missed(word: Word, now: float) -> Word:
    """The word after one more answer that did not know the job."""
    since = now if word.missing_since is None else word.missing_since
    word = replace(word, misses=word.misses + 1, missing_since=since, asked=now)
    if word.misses >= MISSES and now - since >= MISSING_FOR:
        return replace(word, job=replace(word.job, state=JobState.COMPLETED))
    return word


def word_to_json(word: Word, ahead: float) -> dict[str, Any]:
    """The word with times of the clock that every server has, which is `ahead` of the monotonic one."""
    since = None if word.missing_since is None else word.missing_since + ahead
    return {"job": word.job.to_json(), "asked": word.asked + ahead, "misses": word.misses, "missing_since": since}


def word_from_json(data: dict[str, Any], ahead: float) -> Word:
    """The word that `word_to_json` wrote; raises KeyError, TypeError, ValueError, BadRequest."""
    since = None if data["missing_since"] is None else moment(data["missing_since"]) - ahead
    return Word(Job.from_json(data["job"]), moment(data["asked"]) - ahead, MISSED(data["misses"]), since)


class JobBook:
    """Asks the scheduler, one question at a time, and remembers its answers."""

    def __init__(self, scheduler: Scheduler, store: Store, most: int = 5) -> None:
        self.scheduler = scheduler
        self.stale_since: float | None = None
        self._store, self._most = store, most
        self._words: dict[str, Word] = {}
        self._due = 0.0
        self._steps = 0
        self._failures = 0
        self._hurried = False
        self._interval = PENDING_INTERVAL
        self._answered: float | None = None
        self._asked: list[float] = []
        self._own = 0.0
        self._yielding = False

    def word(self, job_id: str, submitted: float | None = None) -> Word:
        """The last word on a job; when there is none, asked NEVER: QUEUED for a while after it was submitted, by
        whatever process (`submitted`, epoch seconds), else UNKNOWN."""
        taken = submitted is not None and time.time() - submitted < JUST_TAKEN
        none = Word(Job(job_id, JobState.QUEUED if taken else JobState.UNKNOWN), NEVER)
        return self._words.get(job_id, none)

    def accepted(self, job_id: str) -> None:
        """The scheduler has just taken this job: queued, until it says more."""
        self._words[job_id] = Word(Job(job_id, JobState.QUEUED), time.monotonic())
        self.hurry()

    def hurry(self) -> None:
        """Something changed: the next question is due now, and a few more follow closely."""
        self._due = 0.0
        self._steps = 0
        self._hurried = True

    def due_in(self, now: float) -> float:
        """Seconds until the next question is due."""
        return max(self._due - now, self._rest(time.time()))

    def postpone(self, *, pending: bool, watched: bool, moving: bool) -> None:
        """Sets when the next question is due; `moving` = a job is between two states right now."""
        if self._hurried:  # something changed while the last question was under way
            return
        self._interval = interval = PENDING_INTERVAL if pending and watched else READY_INTERVAL
        if moving:
            first = FIRST_STEP if self.scheduler.cheap else FIRST_STEP_DEAR
            interval = min(interval, first * 2**self._steps)
            self._steps += 1
        if self._failures:
            interval = min(MAX_INTERVAL, PENDING_INTERVAL * 2 ** (self._failures - 1))
        age = 0.0 if self._failures or self._answered is None else max(0.0, time.time() - self._answered)
        wait = interval * random.uniform(1, 1 + SPREAD)  # noqa: S311 - spreads load, hides nothing
        self._due = time.monotonic() + (ELSEWHERE_STEP if self._yielding else max(0.0, wait - age))

    async def ask(self, job_ids: list[str], *, all_mine: bool = False) -> list[Job] | None:
        """Puts one question for all these jobs; a scheduler that does not answer leaves its last words standing.

        With `all_mine` the question is for the user's jobs, which are returned: only that tells their tags. None when
        nothing had to be asked, or nothing may be just now.
        """
        heard = await asyncio.to_thread(self._heard, job_ids)
        self._yielding = not heard and not self._hurried and self._asked_elsewhere(time.time())
        if self._yielding or (heard and not all_mine and not self._hurried) or self._rest(time.time()) > 0:
            return None
        self._hurried = False
        asked = time.monotonic()
        try:
            mine = await self._put(self.scheduler.mine()) if all_mine else []
            answer = {job.id: job for job in mine if job.id in job_ids}
            left = [job_id for job_id in job_ids if job_id not in answer]
            answer |= await self._put(self.scheduler.query(left)) if left else {}
        except SchedulerFailed:
            self._failures += 1
            self.stale_since = self.stale_since or self._answered or time.time()
            await asyncio.to_thread(self._save)
            raise
        self._failures = 0
        self.stale_since = None
        self._answered = time.time()
        for job_id in job_ids:
            self._words[job_id] = self._told(job_id, answer.get(job_id), asked)
        await asyncio.to_thread(self._save)
        return mine

    async def _put(self, question: Awaitable[T]) -> T:
        """Puts a question to the scheduler and notes when, for the other servers too."""
        self._own = time.time()
        self._asked.append(self._own)
        if not self.scheduler.cheap:
            await asyncio.to_thread(self._save)
        return await question

    def _asked_elsewhere(self, now: float) -> bool:
        """Whether another server has put a question that may still be answered: its answer will do."""
        last = max(self._asked, default=0.0)
        return last != self._own and last > (self._answered or 0.0) and now - last < PENDING_INTERVAL

    def _told(self, job_id: str, job: Job | None, asked: float) -> Word:
        """The word on a job after an answer; UNKNOWN tells nothing, so that the last word stands."""
        before = self.word(job_id)
        if job is None:
            return missed(before, asked)
        if job.state is JobState.UNKNOWN and before.job.state is not JobState.UNKNOWN:
            return replace(before, misses=0, missing_since=None)
        return Word(job, asked)

    def _rest(self, now: float) -> float:
        """Seconds for which no question may be put, because so many were put lately."""
        if self.scheduler.cheap:
            return 0.0
        self._asked = sorted(moment for moment in self._asked if now - WINDOW < moment <= now)
        return self._asked[-self._most] + WINDOW - now if len(self._asked) >= self._most else 0.0

    def forget(self, keep: set[str]) -> None:
        """Drops the words on all jobs but these and those that were just submitted."""
        recent = time.monotonic() - READY_INTERVAL
        self._words = {job_id: word for job_id, word in self._words.items() if job_id in keep or word.asked > recent}

    def load(self) -> bool:
        """Takes over what is newer in the answer that a server left beside the folders; False if there is none."""
        data = self._store.answer()
        if data is None:
            return False
        now, ahead = time.time(), time.time() - time.monotonic()
        try:
            answered, asked = moment(data["time"]), [moment(item) for item in data["asked"]]
            words = [word_from_json(item, ahead) for item in data["words"]]
        except (KeyError, TypeError, ValueError, BadRequest):  # left by another version of us
            return False
        self._asked = sorted({*self._asked, *(item for item in asked if item <= now)})
        self._answered = max(self._answered or 0.0, min(answered, now)) or None
        for word in words:
            known = self.word(word.job.id)
            if known.asked < word.asked <= time.monotonic() and known.job.state is not JobState.COMPLETED:
                self._words[word.job.id] = word
        return True

    def _heard(self, job_ids: list[str]) -> bool:
        """Whether another server has asked about all these jobs within the interval; its answer is taken over then."""
        with suppress(OSError, QConnectError):  # an unreadable answer is just no answer
            self.load()
        recent = time.monotonic() - 0.9 * self._interval
        asked = not self.scheduler.cheap and bool(job_ids)
        return asked and all(self.word(job_id).asked > recent for job_id in job_ids)

    def _save(self) -> None:
        ahead = time.time() - time.monotonic()
        known = [word for word in self._words.values() if word.job.state is not JobState.UNKNOWN]
        words = [word_to_json(word, ahead) for word in known]
        self._store.write_answer({"time": self._answered or 0.0, "asked": self._asked, "words": words})
