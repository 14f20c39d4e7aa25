"""Each recorded answer of TORQUE, OpenPBS and Slurm is parsed, or becomes a plain sentence with their own words."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import pytest

from qconnect_web.errors import BadRequest, SchedulerFailed, SchedulerUnavailable
from qconnect_web.schedulers.commands import Done
from qconnect_web.schedulers.pbs import common, openpbs, openpbs_jobs, refusals, torque
from qconnect_web.schedulers.pbs.common import first_host, seconds
from qconnect_web.schedulers.slurm import argv, queues
from qconnect_web.schedulers.slurm import jobs as slurm_jobs
from qconnect_web.values.job import Job, JobState
from tests.support.recordings import OPENPBS, SLURM, TORQUE, cases, recorded

pytestmark = pytest.mark.unit
GB = 1 << 30
SUBMIT_REASONS = {
    TORQUE: {
        "qsub-as-root": "not-a-submit-host",
        "qsub-bad-directive": "bad-option",
        "qsub-bad-mem": "bad-option",
        "qsub-bad-option": "bad-option",
        "qsub-bad-walltime": "bad-option",
        "qsub-closed-queue": "queue-closed",
        "qsub-e-dir-missing": "bad-option",
        "qsub-host-not-allowed": "not-a-submit-host",
        "qsub-missing-script": "refused",
        "qsub-name-long-300": "bad-option",
        "qsub-name-newline": "bad-option",
        "qsub-name-space": "bad-option",
        "qsub-name-unicode": "bad-option",
        "qsub-negative-walltime": "bad-option",
        "qsub-restricted-queue-acl": "queue-not-yours",
        "qsub-server-down": "scheduler-unavailable",
        "qsub-server-hung": "scheduler-unavailable",
        "qsub-server-hung-PBSAPITIMEOUT5": "scheduler-unavailable",
        "qsub-too-many-nodes": "limits",
        "qsub-too-many-ppn": "limits",
        "qsub-trqauthd-down": "scheduler-unavailable",
        "qsub-unknown-node": "limits",
        "qsub-unknown-queue": "unknown-queue",
        "qsub-unknown-resource": "bad-option",
        "qsub-walltime-over-queue-max": "limits",
    },
    OPENPBS: {
        "qsub-array-t": "bad-option",
        "qsub-as-root": "not-a-submit-host",
        "qsub-bad-mem": "bad-option",
        "qsub-bad-option": "bad-option",
        "qsub-bad-walltime": "bad-option",
        "qsub-closed-queue": "queue-closed",
        "qsub-missing-script": "refused",
        "qsub-name-brackets": "bad-option",
        "qsub-name-len-256": "bad-option",
        "qsub-name-slash": "bad-option",
        "qsub-name-space": "bad-option",
        "qsub-name-special": "bad-option",
        "qsub-name-unicode": "bad-option",
        "qsub-nodes-gpus": "request-form",
        "qsub-select-over-nodes": "request-form",
        "qsub-unknown-queue": "unknown-queue",
        "qsub-unknown-resource": "bad-option",
    },
}
ARRAYS = {"qsub-array", "qsub-array2", "qsub-array-J"}
NO_ID = {"qsub-z"}
"""`qsub -z` prints no id; a client that got none does not know whether there is a job."""
CANCELS_THAT_FAILED = {
    "qdel-all": SchedulerFailed,  # status 153 and not a word: no proof that a job is gone
    "qdel-badid": SchedulerFailed,
    "qdel-m": SchedulerFailed,
    "qdel-mom-dead": SchedulerUnavailable,
    "qdel-mom-hung": SchedulerUnavailable,
    "qdel-none": SchedulerFailed,
    "qdel-other-user": SchedulerFailed,
    "qdel-server-down": SchedulerUnavailable,
    "qdel-sig-p": SchedulerFailed,
}
QUERIES_THAT_SAY_NOTHING = {
    "qstat-bad-id": SchedulerFailed,
    "qstat-bob-f-other": SchedulerFailed,
    "qstat-f-job-server-down": SchedulerUnavailable,
    "qstat-garbage": SchedulerFailed,
    "qstat-nodir": SchedulerFailed,
    "qstat-q-server-down": SchedulerUnavailable,
    "qstat-server-down": SchedulerUnavailable,
    "qstat-server-hung": SchedulerUnavailable,
    "qstat-server-hung-PBSAPITIMEOUT5": SchedulerUnavailable,
    "qstat-trqauthd-down": SchedulerUnavailable,
    "qstat-wrong-server-host": SchedulerUnavailable,
    "qstat-wrong-server-name": SchedulerUnavailable,
    "qstat-x-badqueue": SchedulerFailed,
    "qstat-x-server-down": SchedulerUnavailable,
}


# ------------------------------------------------------------------ submitting
@pytest.mark.parametrize("system", [TORQUE, OPENPBS])
def test_every_refusal_of_qsub_is_a_sentence_with_its_own_words(system: str) -> None:
    assert set(SUBMIT_REASONS[system]) == set(cases(system, "qsub", failed=True))
    for case, reason in SUBMIT_REASONS[system].items():
        done = recorded(system, case)
        with pytest.raises(SchedulerFailed) as refusal:
            refusals.job_id_of(done)
        assert refusal.value.reason == reason, f"{case}: {refusal.value}"
        said = done.err.strip().splitlines()
        assert not said or said[0].strip() in refusal.value.message, f"{case}: {refusal.value}"
        assert isinstance(refusal.value, SchedulerUnavailable) == (reason == "scheduler-unavailable")


@pytest.mark.parametrize("system", [TORQUE, OPENPBS])
def test_every_job_that_qsub_took_has_its_id(system: str) -> None:
    for case in cases(system, "qsub", failed=False):
        done = recorded(system, case)
        if case in ARRAYS:
            with pytest.raises(SchedulerFailed, match="array"):
                refusals.job_id_of(done)
        elif case in NO_ID:
            with pytest.raises(SchedulerUnavailable):
                refusals.job_id_of(done)
        else:
            assert re.fullmatch(r"[0-9]+\.torquehead", refusals.job_id_of(done)), case


def test_a_host_that_may_not_submit_is_told_what_the_administrator_must_do() -> None:
    with pytest.raises(SchedulerFailed, match="submit_hosts"):
        refusals.job_id_of(recorded(TORQUE, "qsub-host-not-allowed"))


def test_what_a_submit_filter_says_reaches_the_user_whatever_it_is() -> None:
    says = "No GUI jobs on Friday: connection refused by policy.\n"
    says += "qsub: submit filter returned an error code, aborting job submission."
    with pytest.raises(SchedulerFailed, match="No GUI jobs on Friday") as refusal:
        refusals.job_id_of(Done(("qsub",), 1, "", says))
    assert refusal.value.reason == "submit-filter"
    assert not isinstance(refusal.value, SchedulerUnavailable)


def test_talk_on_stderr_with_status_0_is_no_failure() -> None:
    assert refusals.job_id_of(Done(("qsub",), 0, "12.head\n", "Welcome! Your project has 3 hours left.\n")) == "12.head"


def test_what_sbatch_says() -> None:
    assert argv.job_id_of(recorded(SLURM, "sbatch_parsable")) == "6"
    assert argv.job_id_of(Done(("sbatch",), 0, "6;clusterA\n", "")) == "6"
    with pytest.raises(SchedulerFailed, match="nosuch") as refusal:
        argv.job_id_of(recorded(SLURM, "sbatch_badpart"))
    assert refusal.value.reason == "unknown-queue"
    down = recorded(SLURM, "ctld_down_squeue")
    with pytest.raises(SchedulerUnavailable):
        argv.job_id_of(down)


# ------------------------------------------------------------------ ending
@pytest.mark.parametrize("system", [TORQUE, OPENPBS])
def test_a_job_that_is_gone_or_over_counts_as_cancelled_and_nothing_else_does(system: str) -> None:
    for case in cases(system, "qdel"):
        done = recorded(system, case)
        if case in CANCELS_THAT_FAILED:
            with pytest.raises(CANCELS_THAT_FAILED[case]):
                refusals.check_cancelled(done)
        else:
            refusals.check_cancelled(done)


def test_scancel() -> None:
    argv.check_cancelled(recorded(SLURM, "scancel_finished"))
    argv.check_cancelled(recorded(SLURM, "scancel_unknown"))
    denied = "scancel: error: Kill job error on job id 1: Access/permission denied"
    with pytest.raises(SchedulerFailed, match="permission denied"):
        argv.check_cancelled(Done(("scancel",), 210, "", denied))
    with pytest.raises(SchedulerUnavailable):
        argv.check_cancelled(Done(("scancel",), 1, "", recorded(SLURM, "ctld_down_squeue").err))


# ------------------------------------------------------------------ asking
@pytest.mark.parametrize("system", [TORQUE, OPENPBS])
def test_an_error_without_an_answer_is_never_taken_for_gone(system: str) -> None:
    parse = torque.answer if system == TORQUE else openpbs.answer
    for case in cases(system, "qstat", failed=True):
        done = recorded(system, case)
        if case in QUERIES_THAT_SAY_NOTHING:
            with pytest.raises(QUERIES_THAT_SAY_NOTHING[case]) as failure:
                parse(["3.torquehead"], done)
            assert type(failure.value) is QUERIES_THAT_SAY_NOTHING[case], case
        elif not done.out:
            assert parse(["3.torquehead"], done)["3.torquehead"].state is JobState.UNKNOWN, case


def test_a_status_of_153_with_jobs_is_a_partial_answer() -> None:
    for system, case, known in (
        (TORQUE, "qstat-x-two-one-unknown", "3.torquehead"),
        (OPENPBS, "qstat-f-json-mixed", "1.torquehead"),
    ):
        parse = torque.answer if system == TORQUE else openpbs.answer
        answer = parse([known, "9999.torquehead", "77.torquehead"], recorded(system, case))
        assert answer[known].state is JobState.RUNNING
        assert "9999.torquehead" not in answer, "it is named as unknown"
        assert answer["77.torquehead"].state is JobState.UNKNOWN, "nothing was said about it"


def test_torque_prints_a_document_for_each_id_that_it_knows() -> None:
    three = ["6.torquehead", "7.torquehead", "8.torquehead"]
    answer = torque.answer(three, recorded(TORQUE, "qstat-x-three-ids"))
    assert [(job.id, job.state) for job in answer.values()] == [(job_id, JobState.RUNNING) for job_id in three]
    assert len({job.session for job in answer.values()}) == 3
    asked = ["6.torquehead", "9999.torquehead", "7.torquehead"]
    assert set(torque.answer(asked, recorded(TORQUE, "qstat-x-known-and-unknown"))) == {asked[0], asked[2]}


def test_a_document_that_cannot_be_read_hides_no_other() -> None:
    """What of it can be read is told nevertheless; of a job that is cut off in its middle, nothing."""
    three = ["6.torquehead", "7.torquehead", "8.torquehead"]
    done = recorded(TORQUE, "qstat-x-three-ids")
    parts = [part for part in re.split(r"(?=<\?xml)", done.out) if part]
    whole = torque.answer(three, done)
    for number, (good, bad) in product(range(3), [("<Job_Name>xterm", "<Job_Name>a & b"), ("</Data>", "")]):
        torn = [part.replace(good, bad) if place == number else part for place, part in enumerate(parts)]
        answer = torque.answer(three, replace(done, out="".join(torn)))
        named = {three[number]: replace(whole[three[number]], name="a & b")} if bad else {}
        assert answer == {**whole, **named}
    for number in range(3):
        torn = [part.partition("<Variable_List>")[0] if place == number else part for place, part in enumerate(parts)]
        answer = torque.answer(three, replace(done, out="".join(torn)))
        assert answer == {**whole, three[number]: Job(three[number], JobState.UNKNOWN)}, "it is not told as gone"


def test_the_own_jobs_of_torque_are_found_also_where_everybody_sees_everybodys() -> None:
    done = recorded(TORQUE, "qstat-x-six-jobs")
    assert [job.id.partition(".")[0] for job in torque.jobs(done, "alice")] == list("256789")
    others = done.out.replace("alice@torquehead</Job_Owner>", "bob@torquehead</Job_Owner>", 2)
    assert [job.id.partition(".")[0] for job in torque.jobs(replace(done, out=others), "alice")] == list("6789")
    with pytest.raises(SchedulerFailed, match="no XML"):
        torque.jobs(recorded(TORQUE, "qstat-x-six-jobs-u-alice"))


def test_a_running_job_of_torque() -> None:
    (job,) = torque.jobs(recorded(TORQUE, "qstat-x-job"))
    assert (job.id, job.state, job.node, job.queue) == ("3.torquehead", JobState.RUNNING, "tqnode1", "interactive")
    assert (job.started, job.submitted, job.walltime_s, job.starts) == (1795331379, 1795331378, 3600, 1)
    assert job.exit_status is None
    assert job.cause is None


def test_every_job_in_every_xml_of_torque_has_its_state() -> None:
    states = {}
    for case in ("qstat-x-all", "qstat-x-QRCEH", "qstat-x-exiting", "qstat-x-job", "qstat-xt"):
        done = recorded(TORQUE, case)
        found = torque.jobs(done)
        assert len(found) == done.out.count("<Job>"), case
        states |= {job.id: job for job in found}
    assert not [job for job in states.values() if job.state is JobState.UNKNOWN]
    assert states["24.torquehead"].name == "a'b\"c&d<e>"
    assert states["25.torquehead"].state is JobState.HELD
    assert states["25.torquehead"].comment == "Its user holds it; `qrls` lets it go."
    assert states["26.torquehead"].comment == "It waits for the time that it was submitted for."
    assert states["82.torquehead"].comment is not None
    assert "Unable to copy files back" in states["82.torquehead"].comment


def test_nothing_to_show_is_no_job_and_no_error() -> None:
    assert torque.jobs(recorded(TORQUE, "qstat-x-empty")) == []
    assert openpbs.jobs(recorded(OPENPBS, "qstat-f-json-empty")) == []


def test_a_job_that_an_answer_leaves_out_is_not_told_as_gone() -> None:
    for answer in (
        torque.answer(["1.head"], recorded(TORQUE, "qstat-x-empty")),
        openpbs.answer(["1.head"], recorded(OPENPBS, "qstat-f-json-empty")),
    ):
        assert {job_id: job.state for job_id, job in answer.items()} == {"1.head": JobState.UNKNOWN}


def test_success_without_a_byte_says_nothing_of_a_job() -> None:
    for answer in (torque.answer, openpbs.answer):
        assert answer(["1.head"], Done(("qstat",), 0, "", "")) == {"1.head": Job("1.head", JobState.UNKNOWN)}
    with pytest.raises(SchedulerFailed):
        slurm_jobs.jobs_of_json(Done(("squeue",), 0, "", ""), "alice")


def test_the_jobs_of_openpbs() -> None:
    jobs = {job.id: job for job in openpbs.jobs(recorded(OPENPBS, "qstat-f-json-all"))}
    running = jobs["1.torquehead"]
    assert (running.node, running.walltime_s, running.starts) == ("torquehead", 3600, 1)
    assert running.started
    assert running.started == running.submitted
    assert {job.state for job in jobs.values()} >= {JobState.RUNNING, JobState.HELD, JobState.QUEUED}
    assert len(jobs) == recorded(OPENPBS, "qstat-f-json-all").out.count('"job_state"')


def test_a_job_whose_history_is_over_is_named_as_unknown() -> None:
    done = recorded(OPENPBS, "qstat-f-just-after-qdel")
    assert openpbs.answer(["1.torquehead"], done) == {}


def test_a_server_without_history_is_told_from_other_errors() -> None:
    assert openpbs.no_history(recorded(OPENPBS, "history-off-qstat-x"))
    assert not openpbs.no_history(recorded(OPENPBS, "history-off-qstat"))
    assert not openpbs.no_history(recorded(OPENPBS, "qstat-f-just-after-qdel"))
    assert not openpbs.no_history(recorded(OPENPBS, "qstat-f-json-unknown"))


def test_no_job_is_gone_because_a_server_keeps_no_history() -> None:
    asked = ["71.pbshead", "9999.pbshead"]
    answer = openpbs.answer(asked, recorded(OPENPBS, "history-off-qstat-x"))
    assert [answer[job_id].state for job_id in asked] == [JobState.UNKNOWN] * 2
    answer = openpbs.answer(asked, recorded(OPENPBS, "history-off-qstat"))
    assert {job_id: job.state for job_id, job in answer.items()} == {"71.pbshead": JobState.QUEUED}


@pytest.mark.parametrize(
    ("words", "status", "cause"),
    [
        (torque, None, "cancelled"),
        (torque, 0, None),
        (torque, 7, None),
        (torque, 271, "cancelled"),
        (torque, 265, "killed"),
        (torque, -11, "walltime"),
        (torque, -10, "memory"),
        (openpbs_jobs, -29, "walltime"),
        (openpbs_jobs, 271, "cancelled"),
        (openpbs_jobs, -10, "not-started"),
        (openpbs_jobs, -11, None),
    ],
)
def test_exit_statuses_mean_what_this_batch_system_means(words: object, status: int | None, cause: str | None) -> None:
    assert words.cause(JobState.COMPLETED, status) == cause  # type: ignore[attr-defined]
    assert words.cause(JobState.RUNNING, status) is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("tqnode1/1-2", "tqnode1"),
        ("n1.site.org/0+n1.site.org/1+n2/0", "n1.site.org"),
        ("tqnode2/0-2+tqnode1/0-2", "tqnode2"),
        ("torquehead/1*2", "torquehead"),
        ("", None),
        ("--", None),
        (None, None),
    ],
)
def test_exec_host_in_all_its_forms(text: str | None, node: str | None) -> None:
    assert first_host(text) == node


@pytest.mark.parametrize(
    ("text", "expected"),
    [("01:00:00", 3600), ("90", 90), (90, 90), ("1:00:00:00", 86400), ("99:59:59", 359999), ("x", None), (None, None)],
)
def test_times(text: object, expected: int | None) -> None:
    assert seconds(text) == expected


def test_every_state_letter_is_known() -> None:
    assert set(common.JOB_STATES) == set("QHTWRBESUCFXM")


# ------------------------------------------------------------------ Slurm
def test_the_json_of_squeue() -> None:
    jobs = {job.id: job for job in slurm_jobs.jobs_of_json(recorded(SLURM, "squeue_json"), "alice")}
    assert len(jobs) == 8
    first = jobs["1"]
    assert (first.state, first.node, first.queue, first.walltime_s) == (
        JobState.RUNNING,
        "qc-node01",
        "interactive",
        600,
    )
    assert (first.submitted, first.started, first.ended) == (1795330556, 1795330557, None)
    assert jobs["5"].comment == (
        "PartitionTimeLimit (it asks for more time than its partition allows, and will not start)"
    )
    assert jobs["8"].node is None
    assert slurm_jobs.jobs_of_json(recorded(SLURM, "squeue_json"), "bob") == []


def test_the_lines_of_scontrol_tell_the_same_as_the_json() -> None:
    (line,) = slurm_jobs.jobs_of_lines(recorded(SLURM, "scontrol_job_o"), "alice")
    told = {job.id: job for job in slurm_jobs.jobs_of_json(recorded(SLURM, "squeue_json"), "alice")}["1"]
    assert line.walltime_s == told.walltime_s
    assert (line.id, line.state, line.node, line.queue, line.name) == (
        "1",
        told.state,
        told.node,
        told.queue,
        told.name,
    )
    assert line.started is not None
    assert line.started - (line.submitted or 0) == 1


def test_the_tag_is_found_in_a_line_of_scontrol() -> None:
    line = recorded(SLURM, "scontrol_job_o").out.replace("Power= ", "Comment=QCONNECT_SESSION=ab.c-1 Power= ")
    for said in (line, line.replace(" Power= ", " ")):  # it may stand last, with a blank behind it
        (job,) = slurm_jobs.jobs_of_lines(Done(("scontrol",), 0, said, ""), "alice")
        assert job.session == "ab.c-1"


def test_a_line_that_somebody_forged_in_a_name_is_not_believed() -> None:
    line = recorded(SLURM, "scontrol_job_o").out.strip()
    forged = line.replace("JobState=RUNNING", "JobState=CANCELLED")
    (job,) = slurm_jobs.jobs_of_lines(Done(("scontrol",), 0, f"{forged}\n{line}\n", ""), "alice")
    assert job.state is JobState.UNKNOWN


def test_slurm_without_json_is_told_from_slurm_that_is_down() -> None:
    assert argv.no_json(recorded(SLURM, "scontrol_job_json"))
    assert not argv.no_json(recorded(SLURM, "ctld_down_squeue"))


def test_an_unknown_job_of_slurm_and_a_dead_controller_are_errors_of_two_kinds() -> None:
    with pytest.raises(SchedulerUnavailable):
        slurm_jobs.jobs_of_json(recorded(SLURM, "ctld_down_squeue"), "alice")
    with pytest.raises(SchedulerFailed) as failure:
        slurm_jobs.jobs_of_json(recorded(SLURM, "squeue_unknown"), "alice")
    assert not isinstance(failure.value, SchedulerUnavailable)


NEWER = {
    "job_id": 77,
    "user_name": "alice",
    "job_state": ["RUNNING"],
    "batch_host": "n1",
    "partition": "gui",
    "name": "x",
    "submit_time": {"set": True, "infinite": False, "number": 100},
    "start_time": {"set": True, "infinite": False, "number": 110},
    "end_time": {"set": True, "infinite": False, "number": 710},
    "time_limit": {"set": True, "infinite": False, "number": 10},
    "comment": "QCONNECT_SESSION=abc",
    "exit_code": {"status": ["SUCCESS"], "return_code": {"set": True, "infinite": False, "number": 0}},
    "restart_cnt": 2,
    "state_reason": "None",
}


def test_the_json_of_newer_slurms() -> None:
    job = slurm_jobs.job_of_json(NEWER)
    assert job
    assert (job.id, job.state, job.started, job.walltime_s) == ("77", JobState.RUNNING, 110, 600)
    assert (job.session, job.starts, job.node) == ("abc", 3, "n1")
    unlimited = {**NEWER, "time_limit": {"set": False, "infinite": True, "number": 0}}
    job = slurm_jobs.job_of_json(unlimited)
    assert job
    assert job.walltime_s is None


@pytest.mark.parametrize(
    ("states", "exit_code", "state", "status", "cause"),
    [
        (["COMPLETED"], 0, JobState.COMPLETED, 0, None),
        (["FAILED"], 3 << 8, JobState.COMPLETED, 3, None),
        (["TIMEOUT"], 9, JobState.COMPLETED, 265, "walltime"),
        (["CANCELLED"], 15, JobState.COMPLETED, 271, "cancelled"),
        (["OUT_OF_MEMORY"], 9, JobState.COMPLETED, 265, "memory"),
        (["NODE_FAIL"], 0, JobState.COMPLETED, 0, "node-failed"),
        (["PREEMPTED"], 15, JobState.COMPLETED, 271, "preempted"),
        (["COMPLETED", "COMPLETING"], 0, JobState.RUNNING, None, None),
        (["RUNNING", "SUSPENDED"], 0, JobState.SUSPENDED, None, None),
        (["PENDING", "REQUEUE_HOLD"], 0, JobState.HELD, None, None),
        (["A_STATE_OF_TOMORROW"], 0, JobState.UNKNOWN, None, None),
        ([], 0, JobState.UNKNOWN, None, None),
    ],
)
def test_states_and_exits_of_slurm(
    states: list[str], exit_code: int, state: JobState, status: int | None, cause: str | None
) -> None:
    job = slurm_jobs.job_of_json({**NEWER, "job_state": states, "exit_code": exit_code})
    assert job
    assert (job.state, job.exit_status, job.cause) == (state, status, cause)


def test_a_job_of_slurm_that_was_cancelled_while_it_waited_has_no_exit_status() -> None:
    waiting = {**NEWER, "job_state": "CANCELLED", "batch_host": "", "start_time": 0, "exit_code": 0}
    job = slurm_jobs.job_of_json(waiting)
    assert job
    assert (job.exit_status, job.cause) == (None, "cancelled")


@pytest.mark.parametrize("reason", ["JobHeldUser", "JobHeldAdmin", "BeginTime"])
def test_a_held_job_of_slurm_is_held(reason: str) -> None:
    job = slurm_jobs.job_of_json({**NEWER, "job_state": "PENDING", "state_reason": reason})
    assert job
    assert job.state is JobState.HELD
    assert job.comment
    assert job.comment.startswith(reason)


# ------------------------------------------------------------------ ids
@pytest.mark.parametrize("job_id", ["27[].torquehead", "46[]", "1;id", "-W", "1 2", "", "x", "1.head;id", "１"])
def test_ids_that_are_arrays_or_none_never_reach_a_command(job_id: str) -> None:
    with pytest.raises(BadRequest):
        common.cancel_argv(job_id)
    assert torque.query_argv([job_id, "3.head"]) == ["qstat", "-x", "3.head"]
    with pytest.raises(BadRequest):
        argv.cancel_argv(job_id)


@pytest.mark.parametrize("job_id", ["4294_1", "4294_[1-3]", "12+0"])
def test_parts_of_sets_of_slurm_jobs_are_refused_politely(job_id: str) -> None:
    with pytest.raises(BadRequest, match="its own number"):
        argv.cancel_argv(job_id)


def test_an_id_is_given_back_as_it_was_printed_whatever_the_answer_calls_the_server() -> None:
    done = recorded(TORQUE, "qstat-x-job")
    for job_id in ("3", "3.torquehead", "3.torque", "3.torquehead.site.org", "3.alias"):
        (job,) = torque.answer([job_id], done).values()
        assert (job.id, job.state) == (job_id, JobState.RUNNING)
    two = torque.answer(["3.torquehead", "3.otherhost", "4.torquehead"], done)
    assert [job.state for job in two.values()] == [JobState.RUNNING, JobState.UNKNOWN, JobState.UNKNOWN]
    unknown = Done(("qstat",), 153, "", "qstat: Unknown Job Id Error 3.torquehead.site.org")
    assert torque.answer(["3.torquehead", "4.torquehead"], unknown) == {
        "4.torquehead": Job("4.torquehead", JobState.UNKNOWN)
    }


def test_owners_are_told_also_by_names_with_a_domain() -> None:
    for user, owner in (
        ("u1", "u1@head"),
        ("u1", r"CORP\u1@head"),
        ("u1@corp", "u1@head"),
        ("u1@corp", "u1@corp@head"),
    ):
        assert common.owned(user, {"Job_Owner": owner})
    for user, owner in (("u1", "u2@head"), ("u1", "u1x@head"), ("", "u2@head"), ("head", "u1@head"), ("u1", "")):
        assert not common.owned(user, {"Job_Owner": owner})


def test_the_tag_is_found_among_variables() -> None:
    assert common.tag_among("PBS_O_QUEUE=batch,QCONNECT_SESSION=ab.c-1,PBS_O_HOST=vm") == "ab.c-1"
    assert common.tag_among("MY_QCONNECT_SESSION=x,A=b") is None
    assert openpbs_jobs.tag({"QCONNECT_SESSION": "k1"}) == "k1"
    assert openpbs_jobs.tag({"QCONNECT_SESSION": "../x"}) is None


# ------------------------------------------------------------------ queues
def test_the_queues_of_torque_with_their_limits_and_what_is_free() -> None:
    found = {
        queue.name: queue
        for queue in torque.queues(
            recorded(TORQUE, "qstat-Qf"), recorded(TORQUE, "pbsnodes-x"), recorded(TORQUE, "qstat-B-f")
        )
    }
    interactive = found["interactive"]
    assert (interactive.max_walltime_s, interactive.max_running, interactive.running) == (12 * 3600, 3, 1)
    assert (interactive.node_cores, interactive.free_cores, interactive.memory_per_core) == (4, 6, 5 * GB)
    assert found["batch"].default
    assert not found["closed"].enabled


def test_the_queues_of_openpbs() -> None:
    described, nodes = recorded(OPENPBS, "qstat-Qf-json"), recorded(OPENPBS, "pbsnodes-json")
    found = {queue.name: queue for queue in openpbs.queues(described, nodes, recorded(OPENPBS, "qstat-Bf"))}
    assert found["workq"].default
    assert (found["interactive"].max_running, found["interactive"].free_cores) == (3, 4)
    assert not found["closed"].enabled


def test_queues_are_told_also_when_the_nodes_are_not() -> None:
    down = recorded(TORQUE, "pbsnodes-server-down")
    found = torque.queues(recorded(TORQUE, "qstat-Qf"), down, down)
    assert [queue.node_cores for queue in found] == [None] * 4
    with pytest.raises(SchedulerFailed):
        torque.queues(down, down, down)


def test_the_partitions_of_slurm() -> None:
    said = "batch|batch*|up|1-00:00:00|4|4000|3/5/0/8|1-infinite|gpu:a100:2(S:0-1),tmpdisk:4\n"
    said += "batch|batch*|up|1-00:00:00|16|64000|0/0/16/16|1-infinite|gpu:v100:4,gpu:a100:1\n"
    said += "gui|gui|up|12:00:00|4|4000|0/8/0/8|1-2|gpu:3\nold|old|down|infinite|4|4000|0/0/8/8|1|(null)\n"
    batch, gui, old = queues.queues(Done(("sinfo",), 0, said, ""))
    assert (batch.default, batch.max_walltime_s, batch.free_cores) == (True, 86400, 5)
    assert batch.node_cores == 16, "nodes that are down come back"
    assert (gui.max_nodes, gui.node_memory) == (2, 4000 << 20)
    assert (batch.node_gpus, batch.gpu_types) == (5, ("a100", "v100"))
    assert (gui.node_gpus, gui.gpu_types) == (3, ())
    assert (old.node_gpus, old.gpu_types) == (0, ())
    assert (old.enabled, old.max_walltime_s) == (False, None)
    with pytest.raises(SchedulerUnavailable):
        queues.queues(Done(("sinfo",), 1, "", recorded(SLURM, "ctld_down_squeue").err))
