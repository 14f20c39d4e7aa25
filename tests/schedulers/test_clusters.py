"""Several clusters of Slurm: each numbers its jobs from 1, and a job is asked about, and ended, on its own one."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from qconnect_web.errors import SchedulerFailed
from qconnect_web.schedulers.commands import Commands
from qconnect_web.schedulers.slurm.scheduler import SlurmScheduler
from qconnect_web.values.job import Job, JobSpec, JobState
from tests.batch.system import PROGRAMS, BatchSystem

pytestmark = pytest.mark.unit
FRONT = """#!/bin/bash
# Slurm's commands for several clusters, each an engine of its own (squeue(1), scancel(1): --clusters, SLURM_CLUSTERS).
set -u
here=$(cd "$(dirname "$0")/.." && pwd) program=${0##*/} clusters=${SLURM_CLUSTERS-c1} words=()
[[ $program == sbatch ]] && clusters=$(<"$here/next")
for word; do
  if [[ $word == --clusters=* ]]; then clusters=${word#*=}; else words+=("$word"); fi
done
printf '%s\\n' "$program $*" >>"$here/calls"
for cluster in ${clusters//,/ }; do
  if [[ -e $here/$cluster/down ]]; then
    echo "$program: error: '$cluster' can't be reached now, or it is an invalid entry for --cluster." >&2
    exit 1
  fi
  [[ $program == squeue ]] && echo "CLUSTER: $cluster"
  "$here/$cluster/bin/$program" "${words[@]}" >"$here/said" || exit
  if [[ $program == sbatch ]]; then
    echo "$(<"$here/said");$cluster"
  else
    sed "s/\\"cluster\\": \\"[a-z]*\\"/\\"cluster\\": \\"$cluster\\"/" "$here/said"
  fi
done
"""
SPEC = JobSpec("x")
Act = Callable[["Federation", SlurmScheduler], Awaitable[None]]


class Federation:
    """The clusters `c1` and `c2`; an option, or SLURM_CLUSTERS, tells their commands which of them is meant."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clusters = {name: BatchSystem(root / name, "slurm") for name in ("c1", "c2")}
        (root / "bin").mkdir()
        for name in PROGRAMS["slurm"]:
            (root / "bin" / name).write_text(FRONT)
            (root / "bin" / name).chmod(0o755)
        for cluster in self.clusters.values():
            cluster.pause()

    async def submit(self, scheduler: SlurmScheduler, cluster: str, key: str) -> str:
        """The id of a job that Slurm gives to this cluster."""
        (self.root / "next").write_text(cluster)
        return await scheduler.submit("true", SPEC, session=key, folder=self.root)

    def calls(self, program: str) -> list[str]:
        return [line for line in (self.root / "calls").read_text().splitlines() if line.split()[0] == program]

    def living(self) -> dict[str, list[str]]:
        return {name: cluster.living() for name, cluster in self.clusters.items()}


@pytest.fixture
def federation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Federation:
    made = Federation(tmp_path)
    monkeypatch.setenv("PATH", f"{made.root}/bin:{Path(sys.executable).parent}:/usr/bin:/bin")
    monkeypatch.setenv("SLURM_CLUSTERS", "c1,c2")
    return made


def in_order(act: Act, federation: Federation) -> None:
    asyncio.run(act(federation, SlurmScheduler(Commands(), user=getpass.getuser())))  # type: ignore[arg-type]  # a coroutine


async def both(federation: Federation, scheduler: SlurmScheduler) -> list[str]:
    """Job 1 of each cluster."""
    return [await federation.submit(scheduler, name, f"key-{name}") for name in federation.clusters]


def test_an_id_names_the_cluster_that_took_the_job(federation: Federation) -> None:
    async def act(federation: Federation, scheduler: SlurmScheduler) -> None:
        assert await both(federation, scheduler) == ["1.c1", "1.c2"]

    in_order(act, federation)


def test_a_job_is_ended_on_its_own_cluster_and_its_namesake_lives(federation: Federation) -> None:
    async def act(federation: Federation, scheduler: SlurmScheduler) -> None:
        _, second = await both(federation, scheduler)
        await scheduler.cancel(second)

    in_order(act, federation)
    assert federation.living() == {"c1": ["1"], "c2": []}


def test_a_job_is_told_of_by_its_own_cluster(federation: Federation) -> None:
    async def act(federation: Federation, scheduler: SlurmScheduler) -> None:
        ids = await both(federation, scheduler)
        federation.clusters["c2"].operate("qdel", "1")
        counted: list[bool] = []

        def more(*, must: bool = False) -> bool:
            counted.append(must)
            return True

        answer = await scheduler.query(ids, more)
        assert {job_id: (job.state, job.session) for job_id, job in answer.items()} == {
            "1.c1": (JobState.QUEUED, "key-c1"),
            "1.c2": (JobState.COMPLETED, "key-c2"),
        }
        assert counted == [True], "the first question is counted by whoever asks"

    in_order(act, federation)


def test_a_job_that_its_cluster_left_out_is_asked_about_there_by_itself(federation: Federation) -> None:
    async def act(federation: Federation, scheduler: SlurmScheduler) -> None:
        await both(federation, scheduler)
        second = await federation.submit(scheduler, "c2", "key-second")
        federation.clusters["c2"].leave_out("first")
        assert (await scheduler.query([second]))[second].session == "key-second"
        assert federation.calls("scontrol") == ["scontrol --clusters=c2 -o show job 2"]
        assert await scheduler.query(["2.c1"]) == {}, "there is none of this number on the other cluster"

    in_order(act, federation)


def test_a_cluster_that_is_down_keeps_nobody_from_the_others_answer(federation: Federation) -> None:
    async def act(federation: Federation, scheduler: SlurmScheduler) -> None:
        ids = await both(federation, scheduler)
        (federation.root / "c1/down").touch()
        answer = await scheduler.query(ids)
        assert answer == {"1.c1": Job("1.c1", JobState.UNKNOWN), "1.c2": answer["1.c2"]}
        assert answer["1.c2"].state is JobState.QUEUED
        (federation.root / "c2/down").touch()
        with pytest.raises(SchedulerFailed, match="'c2' can't be reached"):
            await scheduler.query(ids)

    in_order(act, federation)


def test_without_json_each_cluster_is_asked_for_lines(federation: Federation) -> None:
    async def act(federation: Federation, scheduler: SlurmScheduler) -> None:
        ids = await both(federation, scheduler)
        for cluster in federation.clusters.values():
            cluster.fault("squeue", "echo \"squeue: unrecognized option '--json'\" >&2; exit 1")
        answer = await scheduler.query(ids)
        assert [job.session for job in answer.values()] == ["key-c1", "key-c2"]
        assert [call.split()[1] for call in federation.calls("scontrol")] == ["--clusters=c1", "--clusters=c2"]

    in_order(act, federation)


def test_jobs_are_adopted_from_all_clusters_that_commands_ask_by_themselves(federation: Federation) -> None:
    async def act(federation: Federation, scheduler: SlurmScheduler) -> None:
        await both(federation, scheduler)
        assert {job.id: job.session for job in await scheduler.mine()} == {"1.c1": "key-c1", "1.c2": "key-c2"}

    in_order(act, federation)


def test_where_slurm_names_no_cluster_commands_and_ids_name_none(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLURM_CLUSTERS")
    monkeypatch.setenv("PATH", f"{federation.root}/c1/bin:/usr/bin:/bin")

    async def act(federation: Federation, scheduler: SlurmScheduler) -> None:
        job_id = await federation.submit(scheduler, "c1", "key-one")
        assert job_id == "1"
        assert (await scheduler.query([job_id]))[job_id].session == "key-one"
        assert [job.id for job in await scheduler.mine()] == ["1"]
        await scheduler.cancel(job_id)

    in_order(act, federation)
    assert not any("--clusters" in call.words for call in federation.clusters["c1"].calls())
