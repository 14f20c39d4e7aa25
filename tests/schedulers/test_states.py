"""What a batch system's states, flags and reasons become: a state of ours, and words that say what to do."""

from __future__ import annotations

import json

import pytest

from qconnect_web.schedulers.commands import Done
from qconnect_web.schedulers.pbs import common, openpbs, torque
from qconnect_web.schedulers.slurm import jobs as slurm_jobs
from qconnect_web.schedulers.slurm.states import FIRST, JOB_STATES, cause, reason, state_of
from qconnect_web.sessions import describe
from qconnect_web.values.job import Job, JobSpec, JobState
from qconnect_web.values.session import Record, Session
from tests.support.recordings import OPENPBS, recorded


def slurm(states: list[str], why: str = "None", **more: object) -> Job:
    """A job as 23.11 writes it."""
    given = {"job_id": 7, "job_state": states, "state_reason": why, "user_name": "u1", "batch_host": "n1", **more}
    given |= {"start_time": {"set": True, "infinite": False, "number": 110}}
    (job,) = slurm_jobs.jobs_of_json(Done(("squeue",), 0, json.dumps({"jobs": [given]}), ""), "u1")
    return job


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (["RUNNING", "CONFIGURING"], JobState.QUEUED),
        (["RUNNING", "POWER_UP_NODE"], JobState.QUEUED),
        (["RUNNING", "SIGNALING"], JobState.RUNNING),
        (["RUNNING", "RESIZING"], JobState.RUNNING),
        (["RUNNING", "STOPPED"], JobState.SUSPENDED),
        (["SUSPENDED"], JobState.SUSPENDED),
        (["COMPLETED", "STAGE_OUT"], JobState.COMPLETED),
        (["TIMEOUT", "COMPLETING"], JobState.RUNNING),
        (["PENDING", "REQUEUED"], JobState.QUEUED),
        (["FAILED", "REQUEUED"], JobState.QUEUED),
        (["NODE_FAIL", "REQUEUED"], JobState.QUEUED),
        (["PENDING", "REQUEUE_FED"], JobState.QUEUED),
        (["PENDING", "EXPEDITING"], JobState.QUEUED),
        (["PENDING", "SPECIAL_EXIT"], JobState.HELD),
        (["FAILED", "SPECIAL_EXIT"], JobState.HELD),
        (["PENDING", "RESV_DEL_HOLD"], JobState.HELD),
        (["RUNNING", "A_FLAG_OF_TOMORROW"], JobState.RUNNING),
        (["A_FLAG_OF_TOMORROW", "PENDING"], JobState.QUEUED),
        (["A_STATE_OF_TOMORROW"], JobState.UNKNOWN),
    ],
)
def test_states_of_slurm_with_their_flags(states: list[str], state: JobState) -> None:
    assert slurm(states).state is state
    assert slurm(states).exit_status is None or state is JobState.COMPLETED


def test_every_flag_that_counts_first_is_a_state() -> None:
    assert set(FIRST) <= set(JOB_STATES)


@pytest.mark.parametrize(
    ("why", "says"),
    [
        ("launch_failed_requeued_held", "could not start it"),
        ("launch failed requeued held", "could not start it"),
        ("user_env_retrieval_failed_requeued_held", "bash_profile"),
        ("job_requeued_in_held_state", "scontrol release"),
        ("some_day_requeued_held", "some_day_requeued_held"),
        ("JobHeldUser", "scontrol release"),
        ("JobHeldAdmin", "administrator"),
        ("(JobHeldAdmin)", "administrator"),
        ("JobHoldMaxRequeue", "start it anew"),
        ("ReservationDeleted", "start it anew"),
    ],
)
def test_a_job_that_nothing_but_a_release_starts_is_held_and_says_what_to_do(why: str, says: str) -> None:
    job = slurm(["PENDING"], why)
    assert job.state is JobState.HELD
    assert says in (job.comment or "")
    line = f"JobId=7 JobName=x UserId=u1(1001) JobState=PENDING Reason={why.replace(' ', '_')} BatchHost=n1"
    (told,) = slurm_jobs.jobs_of_lines(Done(("scontrol",), 0, line, ""), "u1")
    assert told.state is JobState.HELD


@pytest.mark.parametrize(
    ("why", "says"),
    [
        ("Priority", "other jobs come first"),
        ("ReqNodeNotAvail, UnavailableNodes:n[1-3]", "not available"),
        ("Reservation", "reservation"),
        ("BadConstraints", "will not start"),
        ("DependencyNeverSatisfied", "will not start"),
        ("QOSMaxCpuPerUserLimit", "QOS gives you no more"),
        ("QOSGrpGRES", "QOSGrpGRES"),
        ("AssocGrpCpuLimit", "as much as it may"),
        ("MaxMemPerLimit", "ask for less"),
    ],
)
def test_a_job_that_waits_says_what_for(why: str, says: str) -> None:
    job = slurm(["PENDING"], why)
    assert job.state is JobState.QUEUED
    assert says in (job.comment or "")
    assert (job.comment or "").startswith(why), "with Slurm's own word"
    assert reason("None") is reason("") is None


@pytest.mark.parametrize(
    ("states", "why", "expected"),
    [
        (["FAILED"], "JobLaunchFailure", "not-started"),
        (["FAILED"], "NonZeroExitCode", None),
        (["FAILED", "LAUNCH_FAILED"], "None", "not-started"),
        (["FAILED"], "RaisedSignal:9(Killed)", None),
        (["OUT_OF_MEMORY"], "OutOfMemory", "memory"),
        (["COMPLETED"], "None", None),
    ],
)
def test_why_a_job_of_slurm_ended(states: list[str], why: str, expected: str | None) -> None:
    assert cause(states, why) == expected
    assert state_of(states, why)[1] is JobState.COMPLETED


def test_parts_and_parents_of_arrays_of_slurm_are_jobs_by_their_own_number() -> None:
    parent = slurm(["PENDING"], "JobArrayTaskLimit", array_job_id={"set": True, "number": 7}, array_task_string="1-3%1")
    assert (parent.id, parent.state) == ("7", JobState.QUEUED)
    assert "array" in (parent.comment or "")


def test_a_job_of_slurm_that_an_operator_cancelled_says_so_in_lines_too() -> None:
    line = "JobId=7 JobName=x UserId=u1(1001) JobState=CANCELLED by 0 Reason=None ExitCode=0:15 BatchHost=n1"
    (job,) = slurm_jobs.jobs_of_lines(Done(("scontrol",), 0, line, ""), "u1")
    assert (job.state, job.cause) == (JobState.COMPLETED, "cancelled")


# ------------------------------------------------------------------ PBS
@pytest.mark.parametrize(
    ("hold", "says"),
    [("u", "`qrls`"), ("o", "administrator"), ("s", "start it anew"), ("p", "password"), ("us", "`qrls`"), ("n", "")],
)
def test_who_holds_a_job_and_what_to_do(hold: str, says: str) -> None:
    words = common.comment_of("H", None, hold)
    assert says in (words or "")
    with_comment = common.comment_of("H", "job held, too many failed attempts to run", hold) or ""
    assert with_comment.startswith("job held, too many failed attempts to run")
    assert says in with_comment


def test_a_job_that_openpbs_ended_at_its_walltime() -> None:
    (job,) = openpbs.jobs(recorded(OPENPBS, "json-walltime-over"))
    assert (job.state, job.exit_status, job.cause) == (JobState.COMPLETED, -29, "walltime")
    assert "exceeded resource walltime" in (job.comment or "")
    assert describe.end_words(job) == "its walltime was over"


def test_an_array_of_openpbs_beside_a_job_is_told_and_harms_nothing() -> None:
    found = {job.id: job for job in openpbs.jobs(recorded(OPENPBS, "json-array-beside"))}
    assert found["29.pbshead"].state is found["31[].pbshead"].state is JobState.HELD


def test_a_job_that_was_moved_to_another_server_is_unknown_with_words() -> None:
    said = "<Data><Job><Job_Id>1.h</Job_Id><job_state>M</job_state></Job></Data>"
    (job,) = torque.jobs(Done(("qstat",), 0, said, ""))
    assert (job.state, job.comment) == (JobState.UNKNOWN, "It was moved to another server.")


@pytest.mark.parametrize(
    ("queue", "says"),
    [("interactive", "The job is held in the queue interactive and starts"), (None, "held in the queue and starts")],
)
def test_the_sentence_of_a_held_job_names_its_queue_as_one(queue: str | None, says: str) -> None:
    record = Record(key="k", app="xterm", title="XTerm", spec=JobSpec("x"), command=("xterm",), created=0.0, job_id="1")
    assert says in (describe.reason(Session(record, Job("1", JobState.HELD, queue=queue), None, None, None)) or "")
