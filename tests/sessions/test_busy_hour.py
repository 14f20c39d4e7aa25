"""The busiest hour: what happens from outside is shown soon while somebody looks, and the questions stay few."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from qconnect_web.private_files import seal
from qconnect_web.schedulers.commands import Done
from qconnect_web.sessions import timings
from qconnect_web.sessions.clock import now
from qconnect_web.sessions.poll import Poll
from qconnect_web.sessions.queues import Queues
from qconnect_web.sessions.store import Store
from qconnect_web.values.session import SessionState
from tests.schedulers.test_follow_up import KINDS, Played, named
from tests.sessions.defaults import job_cache
from tests.sessions.test_store import CONNECTION, END, RECORD
from tests.support.extent import LONG

pytestmark = pytest.mark.unit
HOURS = 3 if LONG else 1
EVERY = 30.0
"""Seconds on average between two things that happen, from outside or by the user."""
SUFFIX = {"torque": ".head", "openpbs": ".head", "slurm": ""}
SHOWN = {"Q": SessionState.QUEUED, "H": SessionState.HELD, "R": SessionState.READY}
NUMBER = 6


def torque(jobs: dict[str, str], argv: list[str]) -> Done:
    if argv[0] != "qstat" or "-Q" in argv or "-B" in argv:
        return Done(tuple(argv), 0, "<Data></Data>" if argv[0] == "pbsnodes" else "", "")
    documents = (
        f"<Data><Job><Job_Id>{job}</Job_Id><job_state>{jobs[job]}</job_state></Job></Data>"
        for job in named(argv)
        if job in jobs
    )
    return Done(tuple(argv), 0, "".join(documents), "")


def openpbs(jobs: dict[str, str], argv: list[str]) -> Done:
    found = {job: {"job_state": jobs[job].replace("C", "F"), "queue": "workq"} for job in named(argv) if job in jobs}
    return Done(tuple(argv), 0, json.dumps({"pbs_server": "head", **({"Jobs": found} if found else {})}), "")


def slurm(jobs: dict[str, str], argv: list[str]) -> Done:
    states = {"Q": "PENDING", "H": "PENDING", "R": "RUNNING", "C": "CANCELLED"}
    found = [
        {
            **{"job_id": int(job), "user_id": os.getuid(), "user_name": "u1", "job_state": [states[letter]]},
            "state_reason": "JobHeldUser" if letter == "H" else "None",
        }
        for job, letter in jobs.items()
    ]
    return Done(tuple(argv), 0, json.dumps({"jobs": found, "errors": []}) if argv[0] == "squeue" else "", "")


class Batch:
    """A batch system in which operators and users do this and that, and one who looks at its sessions."""

    def __init__(self, root: Path, flavour: str, clock: list[float]) -> None:
        self.jobs: dict[str, str] = {}
        self.moments: list[float] = []
        self.clock, self.say = clock, {"torque": torque, "openpbs": openpbs, "slurm": slurm}[flavour]
        self.commands = Played(self.answer)
        self.store = Store(root / "sessions")
        self.store.prepare()
        cache = job_cache(KINDS[flavour](self.commands, user="u1"), self.store)
        self.queues = Queues(cache)
        self.poll = Poll(self.store, cache, logging.getLogger("quiet"))
        self.suffix = SUFFIX[flavour]
        self.count = 0

    def answer(self, argv: list[str]) -> Done:
        """A command takes its time."""
        self.moments.append(self.clock[0])
        self.clock[0] += 0.1
        return self.say(self.jobs, argv)

    def submit(self) -> None:
        """Somebody starts a program, for which the queues are asked."""
        self.count += 1
        key, job = f"key{self.count}", f"{self.count}{self.suffix}"
        self.jobs[job] = "Q"
        now = time.time()
        self.store.create(replace(RECORD, key=key, job_id=job, created=now, submitted=now))
        self.poll.accepted(key, job)

    def begin(self, job: str) -> None:
        """Its node starts the job, which tells of its display."""
        self.jobs[job] = "R"
        self.write(job, "run", f"{CONNECTION.run}\n".encode())
        self.write(job, "connection.json", seal({**asdict(CONNECTION), "job": job, "time": time.time()}))

    def end(self, job: str) -> None:
        """It is over; one that ran has told so."""
        if self.jobs[job] == "R":
            self.write(job, "ended.json", seal({**asdict(END), "job": job, "time": time.time()}))
        self.jobs[job] = "C"

    def write(self, job: str, name: str, content: bytes) -> None:
        path = self.store.folder(f"key{job.partition('.')[0]}") / name
        path.touch(0o600)
        path.write_bytes(content)

    def is_shown(self, job: str) -> bool:
        session = self.poll.known.sessions[f"key{job.partition('.')[0]}"]
        if self.jobs[job] == "C":
            return session.state.final or session.state is SessionState.ENDING
        return session.state is SHOWN[self.jobs[job]]

    def happen(self, chance: random.Random) -> str | None:
        """Something happens to some job; its id, where it is not the user who did it."""
        letters = {letter: [job for job, now in self.jobs.items() if now == letter] for letter in "QHR"}
        kinds = [letter for letter in "QHR" if letters[letter]]
        if sum(map(len, letters.values())) < NUMBER:
            self.submit()
            return None
        job = chance.choice(letters[chance.choice(kinds)])
        now = self.jobs[job]
        if now == "Q" and chance.random() < 0.6:
            self.jobs[job] = "H"  # qhold
        elif now == "H" and chance.random() < 0.7:
            self.jobs[job] = "Q"  # qrls
        elif now == "Q" and chance.random() < 0.5:
            self.begin(job)
        else:
            self.end(job)  # qdel, or Stop, after which the poll is hurried
            if chance.random() < 0.4:
                self.poll.hurry()
        return job


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Both clocks stand; the seconds in this list have passed."""
    begun, passed = (time.monotonic(), time.time()), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: begun[0] + passed[0])
    monkeypatch.setattr(time, "time", lambda: begun[1] + passed[0])
    return passed


async def step(batch: Batch, clock: list[float], until: float) -> None:
    """The time until the next question is due, or until then; a look, and the question with its answer."""
    due = batch.poll._cache.budget.due_in(now())
    clock[0] += max(timings.LOOK_WAITING, min(due, until - clock[0]))
    await batch.poll.look()
    batch.poll._ask_if_due()
    if batch.poll._asking:
        await batch.poll._asking


def busiest(moments: list[float], seconds: float) -> int:
    """The most of them within any span of so many seconds."""
    return max(sum(start <= moment < start + seconds for moment in moments) for start in moments)


@pytest.mark.parametrize("flavour", SUFFIX)
def test_what_happens_in_a_busy_hour_is_shown_soon_and_costs_few_questions(
    flavour: str, tmp_path: Path, clock: list[float]
) -> None:
    random.seed(7)  # intervals are spread at random
    batch, chance = Batch(tmp_path, flavour, clock), random.Random(7)
    waiting: dict[str, float] = {}
    waits: list[float] = []

    def told() -> None:
        for job in [job for job in waiting if batch.is_shown(job)]:
            waits.append(clock[0] - waiting.pop(job))

    async def play() -> None:
        nonlocal waiting
        queues = happens = 0.0
        with batch.poll.observers.watching():
            while clock[0] < HOURS * 3600:
                if clock[0] >= happens:
                    happens = clock[0] + chance.expovariate(1 / EVERY)
                    waiting |= {job: clock[0] for job in [batch.happen(chance)] if job}
                if clock[0] >= queues:  # somebody has the list of queues open, or starts a program
                    queues = clock[0] + 300
                    await batch.queues.known()
                await step(batch, clock, min(happens, queues))
                told()

    asyncio.run(play())
    waits.sort()
    soon = waits[len(waits) * 9 // 10]
    per_hour = busiest(batch.moments, 3600)
    print(f"{flavour}: {len(waits)} events, shown within {soon:g} s at p90, {per_hour} commands in the busiest hour")
    assert len(waits) > 60 * HOURS
    assert soon <= 12
    assert per_hour <= 300


@pytest.mark.parametrize("flavour", SUFFIX)
def test_nothing_is_asked_while_nobody_looks(flavour: str, tmp_path: Path, clock: list[float]) -> None:
    """Whatever waits, is held, runs or ends meanwhile; a stop that its user wanted is followed to its end."""
    batch = Batch(tmp_path, flavour, clock)

    async def play() -> int:
        for _ in range(4):
            batch.submit()
        for job, letter in zip(batch.jobs, "QHRC", strict=True):
            {"R": batch.begin, "C": batch.end}.get(letter, lambda job: None)(job)
            batch.jobs[job] = letter
        while clock[0] < 3600:
            await step(batch, clock, clock[0] + timings.LOOK_PENDING)
        return len(batch.commands.asked)

    assert asyncio.run(play()) == 0

    async def stopped() -> int:
        facts = batch.store.read("key1")
        assert facts
        batch.store.write(replace(facts.record, stopped=time.time()))
        for _ in range(60):
            await step(batch, clock, clock[0] + timings.LOOK_PENDING)
        return len(batch.commands.asked)

    assert asyncio.run(stopped()) >= 5
