"""What a submission says: why there is no job, in a true sentence; which job there is; or that there may be one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from qconnect_web.errors import SchedulerFailed, SchedulerUnavailable
from qconnect_web.schedulers.commands import Done
from qconnect_web.schedulers.pbs import refusals as pbs
from qconnect_web.schedulers.refusal import Refusal
from qconnect_web.schedulers.slurm import argv as slurm
from qconnect_web.schedulers.slurm import refusals as slurm_refusals
from tests.support.recordings import OPENPBS, recorded

POLICY = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
"""What Slurm puts behind each of its limits (slurm_errno.c, ESLURM_ACCOUNTING_POLICY)."""
READ: dict[str, Callable[[Done], str]] = {"qsub": pbs.job_id_of, "sbatch": slurm.job_id_of}


def refusal(program: str, err: str, status: int = 1) -> SchedulerFailed:
    with pytest.raises(SchedulerFailed) as caught:
        READ[program](Done((program,), status, "", err))
    return caught.value


def rows(program: str) -> list[tuple[Refusal, str]]:
    table = pbs.SUBMIT_REFUSALS if program == "qsub" else slurm_refusals.SUBMIT_REFUSALS
    return [(row, text) for row in table for text in row.texts]


@pytest.mark.parametrize(("row", "text"), rows("qsub"))
def test_each_text_of_qsub_has_its_own_row_sentence_and_words(row: Refusal, text: str) -> None:
    for said in (f"qsub: submit error ({text} MSG=more words)", f"qsub: {text}"):
        error = refusal("qsub", said)
        assert error.reason == row.reason
        assert error.message.startswith(row.sentence)
        assert text in error.message


@pytest.mark.parametrize(("row", "text"), rows("sbatch"))
def test_each_text_of_sbatch_has_its_own_row_sentence_and_words(row: Refusal, text: str) -> None:
    for said in (f"sbatch: error: {text}", f"sbatch: error: Batch job submission failed: {text}"):
        error = refusal("sbatch", said)
        assert error.reason == row.reason
        assert error.message.startswith(row.sentence)
        assert text in error.message


@pytest.mark.parametrize(
    ("limit", "reason", "says"),
    [
        ("", "too-many-jobs", "as many jobs as"),
        ("QOSMaxSubmitJobPerUserLimit", "too-many-jobs", "as many jobs as"),
        ("AssocMaxSubmitJobLimit", "too-many-jobs", "as many jobs as"),
        ("QOSGrpSubmitJobsLimit", "too-many-jobs", "as many jobs as"),
        ("QOSMaxWallDurationPerJobLimit", "limits", "walltime"),
        ("AssocMaxWallDurationPerJobLimit", "limits", "walltime"),
        ("QOSMaxCpuPerUserLimit", "limits", "your QOS may have"),
        ("QOSMaxGRESPerUser", "limits", "your QOS may have"),
        ("QOSMinCpuNotSatisfied", "limits", "Ask for more"),
    ],
)
def test_the_limit_that_slurm_names_is_the_one_that_is_told(limit: str, reason: str, says: str) -> None:
    error = refusal("sbatch", f"sbatch: error: {limit}\nsbatch: error: Batch job submission failed: {POLICY}\n")
    assert error.reason == reason
    assert says in error.message
    assert ("walltime" in error.message) == (says == "walltime"), "nothing is said of what was not named"


def test_a_site_that_schedules_no_memory_is_not_told_to_ask_for_less_of_it() -> None:
    memory = "sbatch: error: Memory specification can not be satisfied\n"
    error = refusal(
        "sbatch", f"{memory}sbatch: error: Batch job submission failed: Requested node configuration is not available"
    )
    assert error.reason == "request-form"
    assert "takes no amount of memory" in error.message
    assert "Ask for less." not in error.message


def test_a_site_that_forbids_a_form_says_so_in_its_own_words() -> None:
    says = "Requesting memory by node is not supported. Use --mem-per-cpu."
    error = refusal("sbatch", f"sbatch: error: lua: {says}\nsbatch: error: cli_filter plugin terminated with error\n")
    assert error.reason == "submit-filter"
    assert says in error.message


def test_a_form_of_gpus_that_is_not_known_is_not_too_many_gpus() -> None:
    text = "Requested GRES option unsupported by configured SelectType plugin"
    error = refusal("sbatch", f"sbatch: error: Batch job submission failed: {text}")
    assert error.reason == "request-form"
    assert "fewer" not in error.message
    assert "fewer" in refusal("sbatch", "sbatch: error: Invalid generic resource (gres) specification").message


@pytest.mark.parametrize("program", READ)
@pytest.mark.parametrize(
    "text",
    [
        "Please renew your project before Friday.",
        "Your account statement is in your mailbox.",
        "time limit for questions is over",
        "The flux capacitor is not aligned.",
        "ask the access group of the partition wall",
    ],
)
def test_unknown_words_are_shown_as_they_are_without_a_guess(program: str, text: str) -> None:
    error = refusal(program, text)
    assert error.reason == "refused"
    assert error.message.endswith(f"It says: {text}") or error.message.endswith(f"Slurm says: {text}")
    assert error.message.startswith(("The batch system did not take the job.", "Slurm did not take the job."))


# ------------------------------------------------------------------ which job it made
@pytest.mark.parametrize(
    ("program", "out", "err", "job_id"),
    [
        (
            "sbatch",
            "sbatch: checking your account ... ok\nSubmitted batch job 60060368 on cluster alpha\n",
            "",
            "60060368",
        ),
        ("sbatch", "Submitted batch job 519605\n", "", "519605"),
        ("sbatch", "", "Submitted batch job 519605\n", "519605"),
        ("sbatch", "17 of 20 jobs\n20\nSubmitted batch job 12.\n", "", "12"),
        ("sbatch", "\n 6\n", "Welcome. You have 17 of 20 jobs.\n", "6"),
        ("sbatch", "6;alpha\n", "", "6"),
        ("sbatch", "Welcome\n6;alpha\n40\n", "", "6"),
        ("qsub", "12.head\nQuota left: 40\n", "", "12.head"),
        ("qsub", "You have used 12.5 of 100 GB, 3.5h are left.\n\n12.head.site.org\n40\n", "", "12.head.site.org"),
        ("qsub", "Job 12.head has been submitted to the queue batch.\n", "", "12.head"),
        ("qsub", "", "qsub: job 12.head submitted (see http://7.example.org or ask 8.desk@example.org)\n", "12.head"),
        ("qsub", 'Your job 77 ("xterm") has been submitted\n', "", "77"),
        ("qsub", "77\n", "", "77"),
        ("qsub", "TORQUE 6.1.3.h5\nyour job id: 12.head (3.h left)\n12.head\n", "", "12.head"),
    ],
)
def test_the_id_is_found_whatever_a_site_prints_around_it(program: str, out: str, err: str, job_id: str) -> None:
    assert READ[program](Done((program,), 0, out, err)) == job_id


@pytest.mark.parametrize("program", READ)
@pytest.mark.parametrize(
    "out",
    [
        "You have used\n42\nof your jobs\n",
        "42\n43\n",
        "",
        "Welcome!\n17 of 20 jobs are in use, 12.5 hours are left.\n",
        "Submitted batch job 1\nSubmitted batch job 2\n",
        "1.head\n2.head\n",
        "your job is in the queue since 12.30\n",
    ],
)
def test_a_number_alone_is_no_id_and_two_are_none(program: str, out: str) -> None:
    """Unknown is not refused: the intent stays, and the job, if there is one, is found by its tag."""
    with pytest.raises(SchedulerUnavailable, match="look there before you start another"):
        READ[program](Done((program,), 0, out, ""))


@pytest.mark.parametrize("program", READ)
@pytest.mark.parametrize("status", [139, -9, 1])
def test_a_command_that_died_without_a_word_may_have_made_a_job(program: str, status: int) -> None:
    with pytest.raises(SchedulerUnavailable):
        READ[program](Done((program,), status, "", "\n"))


def test_a_command_that_failed_behind_the_submission_has_made_a_job() -> None:
    assert READ["qsub"](Done(("qsub",), 1, "12.head\n", "mail: command not found\n")) == "12.head"
    assert READ["sbatch"](Done(("sbatch",), 2, "Submitted batch job 12\n", "job ended with 2\n")) == "12"
    assert refusal("qsub", "qsub: Unknown queue\n", 170).reason == "unknown-queue"


def test_an_array_is_told_also_from_a_sentence() -> None:
    with pytest.raises(SchedulerFailed, match="array"):
        READ["qsub"](Done(("qsub",), 0, "Job 12[].head has been submitted\n", ""))


@pytest.mark.parametrize(
    ("err", "status"),
    [
        ("qdel: Job has finished 1.torquehead", 35),
        ("qdel: Unknown Job Id 9999.torquehead", 153),
        ("qdel: nonexistent job id: 9999", 153),
        ("qdel: Request invalid for state of job MSG=invalid state for job - COMPLETE 2.torquehead", 170),
        ("qdel: Job already in exit state 2.torquehead", 204),
    ],
)
def test_a_job_that_is_over_or_unknown_counts_as_ended(err: str, status: int) -> None:
    pbs.check_cancelled(Done(("qdel",), status, "", err))


def test_a_server_that_is_down_has_ended_nothing() -> None:
    with pytest.raises(SchedulerUnavailable, match="nothing was ended"):
        pbs.check_cancelled(recorded(OPENPBS, "server-down-qdel"))
    with pytest.raises(SchedulerUnavailable, match="does not answer"):
        pbs.job_id_of(recorded(OPENPBS, "server-down-qsub"))


@pytest.mark.parametrize(
    ("program", "words", "field"),
    [
        ("qsub", "qsub: submit error (Unknown queue MSG=cannot locate queue)", "queue"),
        ("qsub", "qsub: submit error (Invalid account)", "account"),
        ("sbatch", "Batch job submission failed: Invalid partition name specified", "queue"),
        (
            "sbatch",
            "Batch job submission failed: Invalid account or account/partition combination specified",
            "account",
        ),
        ("sbatch", "Batch job submission failed: Invalid generic resource (gres) specification", "gpus"),
        ("sbatch", "Batch job submission failed: Requested time limit is invalid (missing or exceeds)", "walltime"),
    ],
)
def test_a_refusal_that_is_about_one_field_of_the_form_names_it(program: str, words: str, field: str) -> None:
    error = refusal(program, words, 1)
    assert error.fields == {field: error.message}
    assert refusal(program, f"{program}: error: something else", 1).fields == {}
