"""A hundred sessions beside a batch system that leaves jobs out of its answers: in ten minutes none is told as over."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from qconnect_web.private_files import seal
from qconnect_web.schedulers import Scheduler
from qconnect_web.schedulers.commands import Done
from qconnect_web.schedulers.pbs.openpbs import OpenPbsScheduler
from qconnect_web.schedulers.pbs.torque import TorqueScheduler
from qconnect_web.schedulers.slurm.scheduler import SlurmScheduler
from qconnect_web.sessions import timings
from qconnect_web.sessions.poll import SCHEDULER, Poll
from qconnect_web.sessions.store import Store
from qconnect_web.values.session import SessionState
from tests.schedulers.test_follow_up import Played, named, pbs_json, pbs_text, scontrol, squeue, torque_xml
from tests.sessions.defaults import job_cache, limits
from tests.sessions.test_store import CONNECTION, RECORD

pytestmark = pytest.mark.unit
MINUTES, STEP, MANY = 10, 10.0, 100
CHANCE = random.Random(11)
Manner = Callable[[list[str]], list[str]]


def first(job_ids: list[str]) -> list[str]:
    """An answer holds its first id only."""
    return job_ids[:1]


def half(job_ids: list[str]) -> list[str]:
    """Half of the answers leave out any jobs."""
    dropped = CHANCE.random() < 0.5 and len(job_ids) > 1
    return [job_id for job_id in job_ids if not (dropped and CHANCE.random() < 0.5)]


def odd(done: Done) -> Done:
    """The answer with values that are no JSON and no XML in the job 7."""
    out = done.out.replace('"7.head": {', '"7.head": {"Job_Name": inf, "Account_Name": 00, "Dir": "C:\\Users", ')
    out = out.replace('"job_id": 7,', '"job_id": 7, "account": inf, "dir": "C:\\Users",')
    out = out.replace("<Job_Id>7.head</Job_Id>", "<Job_Id>7.head</Job_Id><Job_Name>a & b <\x01></Job_Name>")
    return replace(done, out=out)


def torque(manner: Manner) -> tuple[Scheduler, Played]:
    commands = Played(lambda argv: odd(torque_xml(manner(named(argv)))))
    return TorqueScheduler(commands, user="alice"), commands


def openpbs(manner: Manner) -> tuple[Scheduler, Played]:
    def say(argv: list[str]) -> Done:
        return odd((pbs_json if "json" in argv else pbs_text)(manner(named(argv))))

    commands = Played(say)
    return OpenPbsScheduler(commands, user="alice"), commands


def slurm(manner: Manner) -> tuple[Scheduler, Played]:
    def say(argv: list[str]) -> Done:
        everybody = [str(number) for number in range(1, MANY + 1)]
        return (
            odd(squeue(manner(everybody), uid=os.getuid()))
            if argv[0] == "squeue"
            else scontrol(argv[-1], uid=os.getuid())
        )

    commands = Played(say)
    return SlurmScheduler(commands, user="u1", uid=os.getuid()), commands


FLAVOURS = {torque: ".head", openpbs: ".head", slurm: ""}
"""How the ids of each one's jobs end."""


def hundred(root: Path, suffix: str) -> Store:
    """So many sessions that are READY, by their own files."""
    store = Store(root / "sessions")
    for number in range(1, MANY + 1):
        key, job_id = f"key{number}", f"{number}{suffix}"
        store.create(replace(RECORD, key=key, job_id=job_id, submitted=time.time() - 600))
        files = {"run": f"{CONNECTION.run}\n".encode(), "connection.json": seal({**asdict(CONNECTION), "job": job_id})}
        for name, content in files.items():
            path = store.folder(key) / name
            path.touch(0o600)
            path.write_bytes(content)
    return store


@pytest.mark.parametrize("manner", [first, half])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_what_an_answer_leaves_out_goes_on(
    flavour: Callable[[Manner], tuple[Scheduler, Played]],
    manner: Manner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = hundred(tmp_path, FLAVOURS[flavour])
    scheduler, commands = flavour(manner)
    poll = Poll(store, job_cache(scheduler, store), logging.getLogger("quiet"))
    begun, passed = (time.monotonic(), time.time()), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: begun[0] + passed[0])
    monkeypatch.setattr(time, "time", lambda: begun[1] + passed[0])
    polls = []

    async def ten_minutes() -> None:
        with poll.observers.watching():
            while passed[0] < MINUTES * 60:
                passed[0] += STEP
                await poll.look()
                before = len(commands.asked)
                poll._ask_if_due()
                if poll._asking:
                    await poll._asking
                polls.append(len(commands.asked) - before)
                assert poll.problems.of(SCHEDULER) is None, "no poll is blind"
                states = [session.state for session in poll.known.sessions.values()]
                assert states == [SessionState.READY] * MANY
                assert not [session for session in poll.known.sessions.values() if session.stale_since]

    asyncio.run(ten_minutes())
    most = limits().questions_per_minute
    assert sum(map(bool, polls)) >= MINUTES - 2, "it was asked all the time"
    assert sum(polls) <= most * (MINUTES - 1) + most * timings.BURST
