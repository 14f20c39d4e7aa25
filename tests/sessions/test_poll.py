"""What the poll makes of the session folders, before anybody asked the batch system."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from pathlib import Path

import pytest

from qconnect_web.private_files import seal
from qconnect_web.schedulers.commands import Commands
from qconnect_web.schedulers.pbs.torque import TorqueScheduler
from qconnect_web.sessions import timings
from qconnect_web.sessions.job_status import JobStatus
from qconnect_web.sessions.poll import Poll
from qconnect_web.sessions.store import Store
from qconnect_web.values.job import Job, JobSpec, JobState
from qconnect_web.values.session import Record, SessionState
from tests.sessions.defaults import job_cache

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
    assert list(poll.known.sessions) == ["good"]
    assert len(said) == 2
    assert any("The session folder open is not used" in line for line in said)
    assert look() == []
    store.folder("open").chmod(0o700)
    assert look() == []
    assert sorted(poll.known.sessions) == ["good", "open"]
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
