"""The package's schedulers and the batch system of programs: several jobs in one question, as the real ones answer."""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path

import pytest

from qconnect_web.models import JobSpec, JobState
from qconnect_web.schedulers.commands import Commands
from qconnect_web.schedulers.openpbs import OpenPbsScheduler
from qconnect_web.schedulers.torque import TorqueScheduler
from tests.batch.system import BatchSystem

KINDS = {"torque": TorqueScheduler, "openpbs": OpenPbsScheduler}
KEYS = ["one", "two", "three"]


@pytest.mark.parametrize("flavour", KINDS)
def test_three_jobs_and_unknown_ones_in_one_question(
    flavour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = BatchSystem(tmp_path, flavour)
    system.pause()
    monkeypatch.setenv("PATH", f"{system.root}/bin:/usr/bin:/bin")

    async def run() -> list[str]:
        scheduler = KINDS[flavour](Commands(), user=getpass.getuser())
        ids = [await scheduler.submit("true", JobSpec("x"), session=key, folder=tmp_path) for key in KEYS]
        asked = [ids[0], "9998.head", ids[1], "9999.head", ids[2]]
        answer = await scheduler.query(asked)
        assert [(job_id, job.state) for job_id, job in answer.items()] == [(job_id, JobState.QUEUED) for job_id in ids]
        assert sorted(str(job.session) for job in await scheduler.mine()) == sorted(KEYS)
        return asked

    asked = asyncio.run(run())
    assert list(system.calls("qstat")[0].words[-5:]) == asked, "one question for all"
