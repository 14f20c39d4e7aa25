"""The package's schedulers and the batch system of programs: several jobs in one question, as the real ones answer."""

from __future__ import annotations

import asyncio
import getpass
import re
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from qconnect_web.errors import SchedulerFailed, SchedulerUnavailable
from qconnect_web.job_script import directives
from qconnect_web.schedulers.commands import Commands
from qconnect_web.schedulers.pbs.openpbs import OpenPbsScheduler
from qconnect_web.schedulers.pbs.torque import TorqueScheduler
from qconnect_web.schedulers.request_form import PRESETS, USUAL
from qconnect_web.schedulers.slurm.scheduler import SlurmScheduler
from qconnect_web.values.job import JobSpec, JobState
from tests.batch.system import CANCEL, QUERY, BatchSystem
from tests.support.recordings import OPENPBS, SLURM, TORQUE, recorded

pytestmark = pytest.mark.unit
KINDS: dict[str, Any] = {"torque": TorqueScheduler, "openpbs": OpenPbsScheduler, "slurm": SlurmScheduler}
KEYS = ["one", "two", "three"]


@pytest.fixture(params=KINDS)
def system(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BatchSystem:
    """A batch system of each kind on PATH, which lets jobs wait."""
    made = BatchSystem(tmp_path, request.param)
    made.pause()
    monkeypatch.setenv("PATH", f"{made.root}/bin:/usr/bin:/bin")
    return made


async def three(system: BatchSystem) -> tuple[Any, list[str]]:
    """The scheduler of this kind, and three jobs that it was given."""
    scheduler = KINDS[system.flavour](Commands(), user=getpass.getuser())
    spec = JobSpec("x")
    return scheduler, [await scheduler.submit("true", spec, session=key, folder=system.root) for key in KEYS]


def test_three_jobs_are_told_by_one_question_with_all_that_is_known(system: BatchSystem) -> None:
    async def run() -> None:
        scheduler, ids = await three(system)
        answer = await scheduler.query(ids)
        assert [(job.id, job.state, job.session) for job in answer.values()] == [
            (job_id, JobState.QUEUED, key) for job_id, key in zip(ids, KEYS, strict=True)
        ]
        assert all(job.submitted and job.walltime_s == 3600 and job.name for job in answer.values())
        await scheduler.cancel(ids[1])
        await scheduler.cancel(ids[1])
        over = (await scheduler.query(ids))[ids[1]]
        assert (over.state, over.cause) == (JobState.COMPLETED, "cancelled")

    asyncio.run(run())
    assert len(system.calls(QUERY[system.flavour])) == 2


@pytest.mark.parametrize("manners", ["first", "half"])
def test_jobs_that_answers_leave_out_without_a_word_are_never_missing(system: BatchSystem, manners: str) -> None:
    async def run() -> None:
        scheduler, ids = await three(system)
        system.leave_out(manners)
        heard: set[str] = set()
        for _ in range(20):
            if heard == set(ids):
                break
            try:
                answer = await scheduler.query(ids)
            except SchedulerUnavailable:  # an answer that left out all of them
                continue
            assert set(answer) == set(ids)
            heard |= {job_id for job_id, job in answer.items() if job.state is JobState.QUEUED}
        assert heard == set(ids), "and each of them is heard of"

    asyncio.run(run())


def test_a_job_with_odd_values_is_told_and_hides_no_other(system: BatchSystem) -> None:
    async def run() -> None:
        scheduler, ids = await three(system)
        system.make_odd("2")
        assert {job.state for job in (await scheduler.query(ids)).values()} == {JobState.QUEUED}
        assert sorted(str(job.session) for job in await scheduler.mine()) == sorted(KEYS)
        assert (await scheduler.query(ids))[ids[1]].name == "inf"

    asyncio.run(run())


ERRORS: dict[str, list[tuple[str, str]]] = {
    "torque": [
        ("qstat -x {over} 9999.head {waits}", "qstat-x-two-one-unknown"),
        ("qstat -x 9999.head", "qstat-x-unknown"),
        ("qdel 9999", "qdel-unknown"),
        ("qdel {over}", "qdel-finished"),
        ("qdel {waits} 9999 {third}", "qdel-several"),
    ],
    "openpbs": [
        ("qstat -x -f -F json {waits} 9999.head {third}", "json-known-unknown-known"),
        ("qstat -x -f -F json 9999.head {waits} {third}", "json-unknown-first"),
        ("qstat -x -f -F json 9998.head 9999.head", "json-all-unknown"),
        ("qstat -f -F json {over} {waits}", "json-finished-without-x"),
        ("qdel 9999", "qdel-unknown"),
        ("qdel {over}", "qdel-second-time"),
        ("qdel {waits} 9999 {third}", "qdel-several"),
    ],
    "slurm": [("scancel 9999", "scancel_unknown"), ("scontrol show job 9999", "scontrol_unknown")],
}
"""What is asked of the programs, of jobs that wait and one that is over, and the same as it was recorded."""
RECORDED = {"torque": TORQUE, "openpbs": OPENPBS, "slurm": SLURM}


def alike(text: str) -> str:
    """The words without what differs from one server to the next: numbers of jobs, its name."""
    return re.sub(r"\b[0-9]{1,3}\b", "N", re.sub(r"\.(?:torquehead|pbshead|head)\b", ".S", text))


def test_the_programs_complain_in_the_words_of_the_real_ones(system: BatchSystem) -> None:
    _, ids = asyncio.run(three(system))
    run = partial(subprocess.run, capture_output=True, text=True, timeout=30, check=False)
    cancel = CANCEL[system.flavour]
    run([cancel, ids[0]])
    for asked, case in ERRORS[system.flavour]:
        done = run(asked.format(over=ids[0], waits=ids[1], third=ids[2]).split())
        real = recorded(RECORDED[system.flavour], case)
        assert (alike(done.stderr), done.returncode) == (alike(real.err), real.status), asked
        assert bool(done.stdout) == bool(real.out), asked
        assert done.stdout.endswith("\n") == real.out.endswith("\n"), asked


def test_the_programs_answer_in_the_shape_of_the_real_ones(system: BatchSystem) -> None:
    _, ids = asyncio.run(three(system))
    argv = {"torque": ["qstat", "-x"], "openpbs": ["qstat", "-x", "-f", "-F", "json"], "slurm": ["squeue", "--json"]}
    said = subprocess.run([*argv[system.flavour], *([] if system.flavour == "slurm" else ids)], capture_output=True)
    text = said.stdout.decode()
    if system.flavour == "torque":
        documents = [part for part in re.split(r"(?=<\?xml)", text) if part]
        waiting = re.findall(r"<Job>.*?</Job>", recorded(TORQUE, "qstat-x-QRCEH").out)
        tags = [re.findall(r"</?[A-Za-z_]+>", job) for job in waiting if "<job_state>Q<" in job]
        assert len(documents) == 3
        assert all(re.findall(r"</?[A-Za-z_]+>", document)[1:-1] in tags for document in documents)
        return
    real = recorded(RECORDED[system.flavour], "json-two-ids" if system.flavour == "openpbs" else "squeue_json").out
    head = 5 if system.flavour == "openpbs" else 14
    first = re.compile(r"[0-9]+")
    assert [first.sub("N", line) for line in text.replace("head", "pbshead").splitlines()[:head]] == [
        first.sub("N", line) for line in real.splitlines()[:head]
    ]
    indents = {len(line) - len(line.lstrip()) for line in real.splitlines()}
    assert {len(line) - len(line.lstrip()) for line in text.splitlines()} <= indents


@pytest.mark.parametrize("flavour", ["torque", "openpbs"])
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


def test_each_batch_system_takes_gpus_in_its_usual_form(system: BatchSystem) -> None:
    spec = JobSpec("gpu", cores=2, gpus=1)
    script = "#!/bin/bash\n" + directives(spec, PRESETS[USUAL[system.flavour]])
    scheduler = KINDS[system.flavour](Commands(), user=getpass.getuser())
    assert asyncio.run(scheduler.submit(script, spec, session="one", folder=system.root))


@pytest.mark.parametrize("case", ["qsub-nodes-gpus", "qsub-select-over-nodes"])
@pytest.mark.parametrize("system", ["openpbs"], indirect=True)
def test_openpbs_refuses_torques_form_as_it_was_recorded(system: BatchSystem, case: str) -> None:
    spec = JobSpec("gpu", gpus=case == "qsub-nodes-gpus")
    script = directives(spec, PRESETS["torque"]) + "\n#PBS -l select=1:ncpus=1" * (not spec.gpus)
    scheduler = OpenPbsScheduler(Commands(), user=getpass.getuser())
    with pytest.raises(SchedulerFailed) as caught:
        asyncio.run(scheduler.submit(script, spec, session="one", folder=system.root))
    assert caught.value.reason == "request-form"
    assert recorded(OPENPBS, case).err.strip().removeprefix("qsub: ") in caught.value.message
    assert "QConnect.request_form" in caught.value.message
