"""What the `local` scheduler says of its jobs and of this machine is so."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from qconnect_web.schedulers.local.runner import lock, write_json
from qconnect_web.schedulers.local.scheduler import LocalScheduler
from qconnect_web.schedulers.local.spool import machine_memory
from qconnect_web.values.job import Job, JobSpec, JobState

SPEC = JobSpec("x", memory="1MB")


class Still(LocalScheduler):
    """One whose jobs never get a runner."""

    def _launch(self, folder: Path) -> None:
        pass

    def told(self, *job_ids: str) -> list[Job]:
        found = asyncio.run(self.query(list(job_ids)))
        return [found[job_id] for job_id in job_ids]

    def put(self, spec: JobSpec = SPEC) -> str:
        return asyncio.run(self.submit("#!/bin/bash\n", spec, session="key1", folder=Path("/nowhere")))


@pytest.mark.parametrize(
    ("slots", "comments"),
    [
        (1, [None] + ["1 job runs here at a time; this one waits for its turn."] * 2),
        (2, [None, None, "2 jobs run here at a time; this one waits for its turn."]),
        (3, [None, None, None]),
    ],
)
def test_a_job_waits_for_its_turn_only_when_it_does(tmp_path: Path, slots: int, comments: list[str | None]) -> None:
    scheduler = Still(tmp_path / "local", max_running=slots)
    jobs = scheduler.told(*[scheduler.put() for _ in comments])
    assert [job.comment for job in jobs] == comments
    assert {job.state for job in jobs} == {JobState.QUEUED}


def test_the_queue_tells_this_machines_cores_and_memory_and_what_is_free(tmp_path: Path) -> None:
    scheduler = Still(tmp_path / "local", max_running=3)
    cores = os.cpu_count() or 1
    (queue,) = asyncio.run(scheduler.queues())
    assert (queue.node_cores, queue.free_cores, queue.running, queue.queued) == (cores, cores, 0, 0)
    assert (queue.node_memory, queue.max_running, queue.default) == (machine_memory(), 3, True)
    first, _ = scheduler.put(replace(SPEC, cores=1)), scheduler.put()
    (folder,) = tmp_path.glob(f"local/*/jobs/{first.partition('.')[0]}")
    with lock(folder / "runner.lock"):
        write_json(folder / "started.json", {"time": 1.0, "session": None, "boot": ""})
        (queue,) = asyncio.run(scheduler.queues())
    assert (queue.node_cores, queue.free_cores, queue.running, queue.queued) == (cores, cores - 1, 1, 1)


@pytest.mark.parametrize("content", ["{}", '{"id": 5}', "[" * 50_000, "null", '{"max_running": "x"}'])
def test_a_job_whose_files_are_damaged_blinds_no_other(tmp_path: Path, content: str) -> None:
    scheduler = Still(tmp_path / "local", max_running=4)
    bad, good = scheduler.put(), scheduler.put()
    (folder,) = tmp_path.glob(f"local/*/jobs/{bad.partition('.')[0]}")
    (folder / "job.json").write_text(content, "ascii")
    found = asyncio.run(scheduler.query([bad, good]))
    assert found[good].state is JobState.QUEUED
    if bad in found:
        assert (found[bad].state, "damaged" in (found[bad].comment or "")) == (JobState.UNKNOWN, True)
    assert good in {job.id for job in asyncio.run(scheduler.mine())}
    assert asyncio.run(scheduler.queues())
