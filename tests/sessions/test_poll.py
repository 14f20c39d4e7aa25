"""What a session is shown as from what is known of it, before anybody asked the batch system."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import pytest

from qconnect_web.schedulers.commands import Commands
from qconnect_web.schedulers.pbs.torque import TorqueScheduler
from qconnect_web.sessions.job_cache import JUST_TAKEN, JobBook
from qconnect_web.sessions.poll import Poll
from qconnect_web.sessions.store import Store
from qconnect_web.values.job import JobSpec
from qconnect_web.values.session import Record, SessionState

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("age", "stopped", "state"),
    [
        (1.0, False, SessionState.QUEUED),
        (1.0, True, SessionState.ENDING),
        (JUST_TAKEN + 1, False, SessionState.UNREACHABLE),
    ],
)
def test_a_job_that_another_process_has_just_submitted_is_queued(
    tmp_path: Path, age: float, stopped: bool, state: SessionState
) -> None:
    store = Store(tmp_path / "sessions")
    now = time.time()
    record = Record(
        key="abc",
        app="xterm",
        title="XTerm",
        spec=JobSpec(name="xterm"),
        command=("xterm",),
        created=now - age,
        submitted=now - age,
        stopped=now if stopped else None,
        job_id="1.s",
    )
    assert store.create(record)
    poll = Poll(store, JobBook(TorqueScheduler(Commands(), user="nobody"), store), logging.getLogger())
    asyncio.run(poll.look())
    assert poll.sessions["abc"].state is state
