"""What an earlier run of a requeued job wrote counts for nothing; a current run is never taken for an earlier one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qconnect_web.sessions import timings
from qconnect_web.sessions.runs import Runs
from qconnect_web.sessions.store import Facts
from qconnect_web.values.job import Job, JobSpec, JobState
from qconnect_web.values.session import Connection, End, Record

pytestmark = pytest.mark.unit
RECORD = Record(key="k", app="a", title="A", spec=JobSpec("a"), command=("a",), created=0, job_id="1.s")
CONNECTION = Connection("run1", "1.s", "n1", 20001, None, ":1", "6.0", "0" * 64, 1000.0)
FACTS = Facts(RECORD, "run1", CONNECTION, None)
RUNNING = Job("1.s", JobState.RUNNING, node="n1", started=990.0, starts=1)


def seen(*jobs: Job, facts: Facts = FACTS) -> Facts:
    """The facts after these words of the scheduler, each of them newer than the files."""
    runs = Runs()
    for job in jobs:
        runs = runs.judged(facts, job)
    return runs.current(facts)


def test_a_running_job_keeps_its_display() -> None:
    assert seen(RUNNING, RUNNING).connection == CONNECTION


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.HELD])
def test_a_job_that_waits_again_has_lost_its_display_for_good(state: JobState) -> None:
    waiting = replace(RUNNING, state=state, node=None)
    assert seen(RUNNING, waiting).connection is None
    assert seen(RUNNING, waiting, RUNNING).connection is None, "the same run does not come back"


@pytest.mark.parametrize("change", [{"starts": 2}, {"node": "n2"}, {"started": 1500.0}])
def test_a_job_that_was_started_anew_between_two_answers_has_lost_its_display(change: dict[str, object]) -> None:
    again = replace(RUNNING, **change)  # type: ignore[arg-type]
    assert seen(RUNNING, again).connection is None


def test_an_end_of_an_earlier_run_is_no_end() -> None:
    end = End("run1", "1.s", "n1", "cancelled", "m", None, 1001.0)
    waiting = replace(RUNNING, state=JobState.QUEUED)
    assert seen(RUNNING, waiting, facts=replace(FACTS, end=end)).end is None


def test_the_next_run_is_believed() -> None:
    runs = Runs().judged(FACTS, RUNNING).judged(FACTS, replace(RUNNING, state=JobState.QUEUED))
    there = replace(CONNECTION, run="run2", node="n2", time=1600.0)
    again = replace(RUNNING, node="n2", starts=2, started=1590.0)
    facts = replace(FACTS, run="run2", connection=there)
    assert runs.current(facts).connection == there
    assert runs.judged(facts, again).current(facts).connection == there


def test_what_the_scheduler_learns_later_is_no_new_start() -> None:
    early = replace(RUNNING, node=None, started=None, starts=None)
    assert seen(early, RUNNING, replace(RUNNING, comment="x")).connection == CONNECTION


def test_a_server_that_was_restarted_meanwhile_goes_by_the_clock_with_room_for_clocks_that_differ() -> None:
    assert seen(replace(RUNNING, started=1000.0 + timings.CLOCK_SKEW + 1)).connection is None
    assert seen(replace(RUNNING, started=1000.0 + timings.CLOCK_SKEW - 1)).connection == CONNECTION


def test_ends_and_unknown_words_change_nothing() -> None:
    for state in (JobState.COMPLETED, JobState.UNKNOWN, JobState.SUSPENDED):
        assert seen(RUNNING, replace(RUNNING, state=state)).connection == CONNECTION
