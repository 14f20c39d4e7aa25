"""The package's schedulers and the batch system of programs: several jobs in one question, as the real ones answer."""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path

import pytest

from qconnect_web.schedulers.commands import Commands
from qconnect_web.schedulers.pbs.openpbs import OpenPbsScheduler
from qconnect_web.schedulers.pbs.torque import TorqueScheduler
from qconnect_web.values.job import JobSpec, JobState
from tests.batch.system import BatchSystem

pytestmark = pytest.mark.unit
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


def test_jobs_of_an_openpbs_without_history_are_told_by_a_question_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = BatchSystem(tmp_path, "openpbs")
    system.pause()
    system.keep_no_history()
    monkeypatch.setenv("PATH", f"{system.root}/bin:/usr/bin:/bin")

    async def run() -> None:
        scheduler = OpenPbsScheduler(Commands(), user=getpass.getuser())
        ids = [await scheduler.submit("true", JobSpec("x"), session=key, folder=tmp_path) for key in KEYS]
        for _ in range(2):
            assert {job.state for job in (await scheduler.query(ids)).values()} == {JobState.QUEUED}
        await scheduler.cancel(ids[1])
        assert set(await scheduler.query(ids)) == {ids[0], ids[2]}, "the one that is over is named as unknown"

    asyncio.run(run())
    assert ["-x" in call.words for call in system.calls("qstat")] == [True, False, False, False]
