"""When the scheduler may be asked, and when that is worth it; what it is asked is not known here.

The times of the questions are shared by all servers and command lines of a user (job_cache), so that together they ask
no more often than one of them would.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from . import timings
from .clock import Now


class QuestionBudget:
    """Rations the questions to one scheduler, or lets pass as many as are wanted where it is `cheap`.

    A bucket: it holds the questions that may be put at once and fills slowly, so that within an hour there are `most`
    a minute on average, and never more than BURST times as many within one minute.
    """

    def __init__(self, *, most: int, cheap: bool) -> None:
        self.asked: list[float] = []
        """When questions were put lately, by whatever server (epoch seconds)."""
        self.answered: float | None = None
        """When the last answer came, to whatever server (epoch seconds)."""
        self._cheap = cheap
        self._fills = most * (timings.MEAN_OVER - timings.BURST) / (timings.MEAN_OVER - 1)
        """Questions by which the bucket fills within a WINDOW."""
        self._holds = most * timings.BURST - self._fills
        """Questions that the full bucket holds."""
        self._due = 0.0
        self._interval = timings.PENDING_INTERVAL
        self._steps = 0
        self._failures = 0
        self._hurried = False
        self._eager_until = 0.0
        self._yielding = False
        self._own = 0.0
        self.beside: list[float] = []
        """Those of them that were about queues, or followed another one up: their answers tell nothing of the rest."""
        self._unspared = 0
        """Follow-ups that were put though there was none to spare, since our last question for all sessions."""
        self._followed = float("-inf")
        self._starved = False

    def hurry(self, now: Now) -> None:
        """Something changed: the next question is due now, and a few more follow closely."""
        self._eager_until = now.monotonic + timings.EAGER
        self._due = 0.0
        self._steps = 0
        self._hurried = True

    def expect(self, now: Now) -> None:
        """Something is on its way that the job itself tells of: the next question comes as soon as while one waits."""
        if self._cheap:
            self.hurry(now)
        self._due = min(self._due, now.monotonic + timings.PENDING_INTERVAL)

    def due_in(self, now: Now) -> float:
        """Seconds until the next question is due."""
        return max(self._due - now.monotonic, self._rest(now, 1 + self._starved))

    def allows(self, now: Now, *, heard: bool, more: bool) -> bool:
        """Whether to ask now; `heard`: another server's answer would do, `more`: but not for all that is wanted."""
        self._yielding = not heard and not self._hurried and self._asked_elsewhere(now.epoch)
        wanted = self._hurried or (not self._yielding and (more or not heard))
        if not wanted or max(self._rest(now, 1 + self._starved), self._kept(now)) > 0:
            return False
        self._hurried = False
        return True

    def young(self, asked: float, now: Now) -> bool:
        """Whether an answer to a question of that monotonic time saves the next one; never where asking is cheap."""
        return not self._cheap and asked > now.monotonic - timings.YOUNG * self._interval

    def open_for(self, now: Now) -> float:
        """Seconds for which the last question, by whatever server, has had no answer; 0 when it was answered."""
        last = self._last(now.epoch)
        return 0.0 if self._cheap or (self.answered or 0.0) >= last else now.epoch - last

    def spare(self, now: Now, count: int = 1) -> bool:
        """Whether there are so many questions that nobody who acts will miss; one is noted then."""
        if self._rest(now, count + timings.KEPT_FOR_ACTS) > 0:
            return False
        self._note_beside(now)
        return True

    def more(self, now: Now, *, must: bool) -> bool:
        """Whether one more question may be put, which is noted then; one that `must` be put is only noted.

        It is one to spare, or one in a WINDOW, which the next question for all sessions waits for and makes up for: of
        a job that answers leave out something is heard some time.
        """
        if must:
            self._note_beside(now)
        elif self.spare(now):
            self._followed = now.monotonic
        elif now.monotonic - self._followed >= timings.WINDOW:
            self._starved = self._rest(now) > 0
            if self._starved:
                return False
            self._followed = now.monotonic
            self._note_beside(now)
            self._unspared += 1
        else:
            return False
        return True

    def _note_beside(self, now: Now) -> None:
        self.asked.append(now.epoch)
        self.beside.append(now.epoch)

    def note_question(self, now: Now) -> None:
        """A question is put."""
        self._own, self._unspared = now.epoch, 0
        self.asked.append(now.epoch)

    def note_answer(self, now: Now) -> None:
        """It was answered."""
        self._failures = 0
        self.answered = now.epoch

    def note_failure(self) -> None:
        """It was not."""
        self._failures += 1

    def note_others(self, asked: list[float], answered: float, now: Now, beside: Iterable[float] = ()) -> None:
        """What another server has left word of: when questions were put, and when the last answer came (epoch)."""
        self.asked = sorted({*self.asked, *(item for item in asked if item <= now.epoch)})
        self.beside = sorted({*self.beside, *beside})
        self.answered = max(self.answered or 0.0, min(answered, now.epoch)) or None

    def postpone(self, now: Now, *, pending: bool, watched: bool, moving: bool) -> None:
        """Sets when the next question is due; `moving`: a job is between two states right now."""
        if self._hurried:  # something changed while the last question was under way
            return
        self._interval = timings.PENDING_INTERVAL if pending and watched else timings.READY_INTERVAL
        wait = self._wait(moving) * random.uniform(1, 1 + timings.SPREAD)  # noqa: S311 - spreads load, hides nothing
        age = 0.0 if self._failures or self.answered is None else max(0.0, now.epoch - self.answered)
        wait = timings.ELSEWHERE_STEP if self._yielding else max(0.0, wait - age, self._kept(now))
        self._due = now.monotonic + wait

    def _wait(self, moving: bool) -> float:
        """Seconds from the last answer, or failure, to the next question."""
        wait = self._interval
        if moving:
            first = timings.FIRST_STEP if self._cheap else timings.FIRST_STEP_DEAR
            wait = min(wait, _doubled(first, self._steps))
            self._steps += 1
        if self._failures:
            wait = min(timings.MAX_INTERVAL, _doubled(timings.PENDING_INTERVAL, self._failures - 1))
        return wait

    def _asked_elsewhere(self, now: float) -> bool:
        """Whether another server has put a question that may still be answered: its answer will do."""
        soon = now + timings.PENDING_INTERVAL  # later than that, the clock that it is by was wrong
        last = self._last(soon)
        return last != self._own and last > (self.answered or 0.0) and now - last < timings.PENDING_INTERVAL

    def _rest(self, now: Now, wanted: int = 1) -> float:
        """Seconds until there are so many questions in the bucket."""
        if self._cheap:
            return 0.0
        begin = now.epoch - timings.MEAN_OVER * timings.WINDOW
        self.asked = sorted(moment for moment in self.asked if begin < moment <= now.epoch)
        self.beside = [moment for moment in self.beside if begin < moment]
        return (wanted - self._left(now.epoch)) * timings.WINDOW / self._fills

    def _last(self, until: float) -> float:
        """When the last question for all sessions was put, by whatever server; 0 when there was none."""
        beside = set(self.beside)
        return max((moment for moment in self.asked if moment <= until and moment not in beside), default=0.0)

    def _kept(self, now: Now) -> float:
        """Seconds for which the bucket is kept for whoever acts: who only looks takes no more than flows in."""
        last = self._last(now.epoch)
        eager = self._cheap or self._hurried or now.monotonic < self._eager_until
        return 0.0 if eager else last + (1 + self._unspared) * timings.WINDOW / self._fills - now.epoch

    def _left(self, now: float) -> float:
        """Questions that are in the bucket; an hour ago it was full, for all that is known."""
        left, before = self._holds, 0.0
        for moment in self.asked:
            left = min(self._holds, left + (moment - before) / timings.WINDOW * self._fills) - 1
            before = moment
        return min(self._holds, left + (now - before) / timings.WINDOW * self._fills)


def _doubled(seconds: float, times: int) -> float:
    """The seconds, doubled so many times; beyond any interval it stays what it is, however long an outage lasts."""
    return seconds * 2.0 ** min(times, 32)
