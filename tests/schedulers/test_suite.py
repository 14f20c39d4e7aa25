"""One suite for every batch system: what the package's schedulers promise, on the real thing.

`pytest tests/schedulers/test_suite.py --scheduler torque` uses the TORQUE whose commands are on PATH, if there is one,
and else the test cluster's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from qconnect_web.errors import BadRequest, QConnectError, SchedulerFailed
from qconnect_web.schedulers.detect import detect
from qconnect_web.schedulers.request_form import PRESETS, USUAL
from qconnect_web.values.job import JOB_ID, JobSpec, JobState
from tests.schedulers.systems import System
from tests.support.deadline import eventually
from tests.support.extent import LONG

SPEC = JobSpec("suite job", memory="100MB", walltime="00:10:00")
HELD = {"slurm": ("--hold",), "torque": ("-h",), "openpbs": ("-h",), "local": ()}


@pytest.fixture(scope="module")
def system(
    scheduler_name: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """The batch system of this round."""
    cluster = None
    if scheduler_name != "local" and detect().name != scheduler_name:
        cluster = request.getfixturevalue("cluster")
        if scheduler_name == "torque":
            request.getfixturevalue("torque").qmgr("set server keep_completed = 60")
    system = System(scheduler_name, cluster, tmp_path_factory.mktemp("suite"))
    yield system
    system.close()


def test_output_and_exit_status_are_kept(system: System) -> None:
    job_id = system.submit("echo hello; echo oops >&2; exit 7", SPEC, "kept")
    assert JOB_ID.fullmatch(job_id)
    job = system.wait(job_id, JobState.COMPLETED)
    assert job.exit_status == 7
    assert job.session == "kept"
    assert job.node
    assert job.submitted
    assert job.started
    assert job.ended
    assert job.submitted - 1 <= job.started <= job.ended + 1
    assert job.walltime_s == 600
    eventually(lambda: sorted(system.log("kept").split()) == ["hello", "oops"], 5, "the output")


def test_a_job_that_works_ends_with_0(system: System) -> None:
    assert system.wait(system.submit("true", SPEC), JobState.COMPLETED).exit_status == 0


def test_a_script_that_is_killed_does_not_look_as_if_it_went_well(system: System) -> None:
    assert system.wait(system.submit("kill -9 $$", SPEC), JobState.COMPLETED).exit_status in (137, 256 + 9)


def test_a_running_job_is_found_by_its_tag_by_whoever_asks_next(system: System) -> None:
    job_id = system.submit("sleep 1000", SPEC, "tagged-1.a_b")
    other = System(system.name, system.cluster, system.folder)
    found = [job for job in other.mine() if job.session == "tagged-1.a_b"]
    assert [job.id for job in found] == [job_id]
    assert found[0].state in (JobState.QUEUED, JobState.RUNNING)
    job = system.wait(job_id, JobState.RUNNING)
    assert job.node
    assert re.fullmatch(r"[A-Za-z0-9.-]+", job.node)
    assert re.fullmatch(r"suite[-_]job", job.name or "")
    other.close()
    eventually(lambda: system.query(job_id)[job_id].state is JobState.COMPLETED, 20, "the end, by the other one")


def test_a_cancelled_job_is_over_and_may_be_cancelled_again(system: System) -> None:
    job_id = system.submit("sleep 1000", SPEC)
    system.wait(job_id, JobState.RUNNING)
    system.ask("cancel", job_id)
    job = system.wait(job_id, JobState.COMPLETED)
    assert (job.exit_status, job.cause) != (0, None), "it must not look as if it had ended by itself, and well"
    system.ask("cancel", job_id)


def test_a_job_that_nobody_knows_is_missing_and_may_be_cancelled(system: System) -> None:
    known = system.submit("sleep 1000", SPEC)
    number, dot, server = known.partition(".")
    unknown = f"{int(number) + 50000}{dot}{server}"
    assert set(system.query(known, unknown)) == {known}
    assert system.query(unknown) == {}
    system.ask("cancel", unknown)
    system.ask("cancel", known)
    system.wait(known, JobState.COMPLETED)


def test_a_held_job_waits_until_it_is_released(system: System) -> None:
    if system.name == "local":
        blockers = [system.submit("sleep 1000", SPEC) for _ in range(2)]
        for blocker in blockers:
            system.wait(blocker, JobState.RUNNING)
        job_id = system.submit("exit 3", SPEC)
        system.ask("hold", job_id)
        for blocker in blockers:
            system.ask("cancel", blocker)
    else:
        spec = JobSpec("held", memory="100MB", walltime="00:10:00", native=HELD[system.name])
        job_id = system.submit("exit 3", spec)
    job = system.wait(job_id, JobState.HELD)
    assert job.exit_status is None
    assert job.started is None
    system.ask("release", job_id)
    assert system.wait(job_id, JobState.COMPLETED).exit_status == 3


def test_a_queued_job_is_cancelled_without_an_exit_status(system: System) -> None:
    spec = JobSpec("held", memory="100MB", walltime="00:10:00", native=HELD[system.name])
    blockers = [system.submit("sleep 1000", SPEC) for _ in range(2 if system.name == "local" else 0)]
    job_id = system.submit("exit 3", spec)
    system.ask("cancel", job_id)
    assert system.wait(job_id, JobState.COMPLETED).exit_status is None
    for blocker in blockers:
        system.ask("cancel", blocker)


def test_what_cannot_be_is_refused_with_the_systems_own_words(system: System) -> None:
    with pytest.raises((BadRequest, SchedulerFailed), match=r"(?i)nosuch|queue|partition"):
        system.submit("true", JobSpec("x", queue="nosuch", memory="100MB"))
    with pytest.raises(QConnectError, match=r"empty"):
        system.ask("submit_empty")


def test_queues_have_limits_and_one_is_the_default(system: System) -> None:
    queues = system.queues()
    assert sum(queue.default for queue in queues.values()) == 1
    assert all(queue.node_cores or queue.max_cores for queue in queues.values() if queue.enabled)
    if system.cluster:
        limit = {"slurm": 8, "torque": 12}[system.name]
        assert queues["interactive"].max_walltime_s == limit * 3600
        assert queues["batch"].default
        assert queues["batch"].node_cores == 4
        assert not queues["closed"].enabled
        job_id = system.submit("sleep 1000", JobSpec("i", queue="interactive", memory="100MB", walltime="00:10:00"))
        assert system.wait(job_id, JobState.RUNNING).queue == "interactive"
        system.ask("cancel", job_id)


def test_cores_memory_and_name_arrive(system: System) -> None:
    spec = JobSpec("Ünïcode & name", cores=2, memory="300MB", walltime="00:10:00")
    job_id = system.submit("ulimit -d; nproc; exit 0", spec, "arrived")
    job = system.wait(job_id, JobState.COMPLETED)
    assert job.exit_status == 0
    if system.name != "local":
        assert job.name == "Unicode-name"


def test_every_form_of_a_request_that_needs_no_hardware_is_taken(system: System) -> None:
    dialect = PRESETS[USUAL[system.name]].dialect
    for name in [name for name, form in PRESETS.items() if form.dialect == dialect]:
        if system.name in ("torque", "openpbs") and name != USUAL[system.name]:
            continue  # TORQUE has no `select`
        spec = JobSpec("form", cores=2, memory="100MB", walltime="00:10:00")
        job = system.wait(system.submit("exit 5", spec, form=name), JobState.COMPLETED)
        assert job.exit_status == 5, name


@pytest.mark.timeout(240)
def test_the_walltime_ends_a_job(system: System) -> None:
    if system.name == "local":
        pytest.skip("in test_local: a minute is the least that may be asked")
    if system.name == "slurm" and not LONG:
        pytest.skip("Slurm counts walltime in minutes: QCONNECT_LONG_TESTS=1 waits for it")
    held = JobSpec("w", memory="100MB", walltime="00:01:00", native=HELD[system.name])
    job_id = system.submit("sleep 1000", held)
    system.ask("shorten", job_id)
    system.ask("release", job_id)
    job = system.wait(job_id, JobState.COMPLETED, 200)
    assert (job.exit_status, job.cause) not in ((0, None), (None, None))
