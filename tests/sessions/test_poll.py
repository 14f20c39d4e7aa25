"""What the poll makes of the session folders, before anybody asked the batch system."""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from dataclasses import replace
from pathlib import Path

import pytest

from qconnect_web.private_files import seal
from qconnect_web.schedulers import More
from qconnect_web.schedulers.commands import Commands
from qconnect_web.schedulers.pbs.torque import TorqueScheduler
from qconnect_web.sessions import timings
from qconnect_web.sessions.job_status import JobStatus
from qconnect_web.sessions.poll import Poll
from qconnect_web.sessions.store import Store
from qconnect_web.values.job import Job, JobSpec, JobState
from qconnect_web.values.session import Record, SessionState
from tests.sessions.defaults import job_cache
from tests.sessions.test_jobs import Scripted
from tests.support.deadline import aeventually

RECORD = Record("abc", "xterm", "XTerm", JobSpec("xterm"), ("xterm",), created=1.0, job_id="1.s")

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("age", "stopped", "state"),
    [
        (1.0, False, SessionState.QUEUED),
        (1.0, True, SessionState.ENDING),
        (timings.JUST_TAKEN + 1, False, SessionState.UNREACHABLE),
    ],
)
def test_a_job_that_another_process_has_just_submitted_is_queued(
    tmp_path: Path, age: float, stopped: bool, state: SessionState
) -> None:
    store = Store(tmp_path / "sessions")
    now = time.time()
    record = replace(
        RECORD,
        created=now - age,
        submitted=now - age,
        stopped=now if stopped else None,
    )
    assert store.create(record)
    poll = Poll(store, job_cache(TorqueScheduler(Commands(), user="nobody"), store), logging.getLogger())
    asyncio.run(poll.look())
    assert poll.known.sessions["abc"].state is state


def test_a_folder_that_cannot_be_used_is_said_once_and_harms_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path / "sessions")
    for key, job_id in (("good", "1.s"), ("open", "2.s"), ("odd", "3.s")):
        store.create(replace(RECORD, key=key, job_id=job_id))
    store.folder("open").chmod(0o755)
    (store.folder("odd") / "session.json").write_bytes(seal({"key": "odd"}))
    poll = Poll(store, job_cache(TorqueScheduler(Commands(), user="nobody"), store), logging.getLogger())

    def look() -> list[str]:
        caplog.clear()
        asyncio.run(poll.look())
        return [record.message for record in caplog.records]

    said = look()
    assert sorted(poll.known.sessions) == ["good", "odd", "open"]
    assert poll.known.sessions["odd"].damage
    assert "Run: chmod" in (poll.known.sessions["open"].damage or "")
    assert not poll.known.sessions["good"].damage
    assert len(said) == 2
    assert any("The session folder open is not used" in line for line in said)
    assert look() == []
    store.folder("open").chmod(0o700)
    assert look() == []
    assert not poll.known.sessions["open"].damage
    store.folder("open").chmod(0o755)
    assert len(look()) == 1, "it was right meanwhile"


def test_the_folders_of_sessions_that_settled_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "sessions")
    store.create(replace(RECORD, key="over", job_id="1.s"))
    store.create(replace(RECORD, key="live", job_id="2.s"))
    cache = job_cache(TorqueScheduler(Commands(), user="nobody"), store)
    cache.statuses["1.s"] = JobStatus(Job("1.s", JobState.COMPLETED, ended=1.0), 0.0)
    poll = Poll(store, cache, logging.getLogger())
    asyncio.run(poll.look())
    read: list[str] = []
    monkeypatch.setattr(store, "read", read.append)
    asyncio.run(poll.look())
    assert read == ["live"]
    assert list(poll.known.sessions) == ["over"]


def test_a_folder_that_cannot_be_read_for_a_moment_takes_no_session_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "sessions")
    store.create(RECORD)
    poll = Poll(store, job_cache(TorqueScheduler(Commands(), user="nobody"), store), logging.getLogger("quiet"))
    asyncio.run(poll.look())
    before = poll.known.sessions

    def away(key: str) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(store, "read", away)
    asyncio.run(poll.look())
    assert poll.known.sessions == before
    assert "Input/output error" in (poll.problems.of("folder/abc") or "")


def test_of_two_records_that_claim_one_job_the_older_keeps_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "sessions")
    for key, created in (("a-newer", 2.0), ("older", 1.0)):
        store.create(replace(RECORD, key=key, created=created))
    poll = Poll(store, job_cache(TorqueScheduler(Commands(), user="nobody"), store), logging.getLogger("quiet"))
    asyncio.run(poll.look())
    found = poll.known.sessions
    assert (found["older"].id, found["older"].damage) == ("1.s", None)
    assert found["a-newer"].id == "a-newer", "so that what is done to it is done to it alone"
    assert "folder older" in (found["a-newer"].damage or "")
    store.remove("older")
    asyncio.run(poll.look())
    assert (poll.known.sessions["a-newer"].id, poll.known.sessions["a-newer"].damage) == ("1.s", None)


@pytest.mark.parametrize("broken", ["look", "question", "listener"])
def test_a_mistake_of_ours_costs_one_round_and_is_said_once(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path / "sessions")
    store.create(RECORD)
    scheduler, faults = Scripted(), iter(range(3))
    scheduler.jobs["1.s"] = Job("1.s", JobState.HELD)
    poll = Poll(store, job_cache(scheduler, store), logging.getLogger("test"))
    for name in ("LOOK_WAITING", "LOOK_WATCHED", "PENDING_INTERVAL", "FIRST_STEP"):
        monkeypatch.setattr(timings, name, 0.01)
    read, query = store.read, scheduler.query

    def fault() -> None:
        if next(faults, None) is not None:
            raise KeyError("a mistake of ours")

    def reading(key: str) -> object:
        fault()
        return read(key)

    async def answering(job_ids: list[str], more: More) -> dict[str, Job]:
        fault()
        return await query(job_ids, more)

    async def rounds() -> None:
        running = asyncio.create_task(poll.run())
        with poll.observers.watching():

            def told() -> bool:
                found = poll.known.sessions.get("abc")
                return found is not None and found.state is SessionState.HELD

            await aeventually(told, 10, "the session as the scheduler tells it")
        await poll.close()
        await running

    if broken == "look":
        monkeypatch.setattr(store, "read", reading)
    elif broken == "question":
        monkeypatch.setattr(scheduler, "query", answering)
    else:
        poll.observers.listeners.append(lambda session: fault())
    asyncio.run(rounds())
    lines = [record for record in caplog.records if "QConnect made a mistake (KeyError)" in record.getMessage()]
    assert len(lines) == 1
    assert lines[0].exc_info
