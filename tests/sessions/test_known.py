"""What a session is shown as, for every pair of what it was and what happened; derived without looking or asking."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from qconnect_web.sessions import job_status, known, runs, timings
from qconnect_web.sessions.clock import Now
from qconnect_web.sessions.describe import reason
from qconnect_web.sessions.job_status import JobStatus, unheard, updated
from qconnect_web.sessions.known import Known, derive
from qconnect_web.sessions.store import Facts
from qconnect_web.values.job import Job, JobSpec, JobState
from qconnect_web.values.session import Connection, End, Record, Session, SessionState

pytestmark = pytest.mark.unit

EPOCH = 1_000_000.0
"""The clock that every machine has at 0 of the monotonic one."""
RECORD = Record("k", "a", "A", JobSpec("a"), ("a",), created=EPOCH, submitted=EPOCH, job_id="1.s")
CONNECTION = Connection("r1", "1.s", "n1", 20001, None, ":1", "6.0", "0" * 64, EPOCH + 20)
END = End("r1", "1.s", "n1", "app-exit", "The program has ended.", 0, EPOCH + 30)
RUNNING = Job("1.s", JobState.RUNNING, node="n1", starts=1, started=EPOCH + 10)


@dataclass
class Heard:
    """One session's folder, the scheduler's last word on it, and what is known of both, as time goes by."""

    facts: Facts | None = field(default_factory=lambda: Facts(RECORD))
    status: JobStatus | None = None
    stale_since: float | None = None
    time: float = 1.0
    known: Known = field(default_factory=Known)
    changes: list[Session] = field(default_factory=list)

    @property
    def now(self) -> Now:
        return Now(EPOCH + self.time, self.time)

    def look(self, **facts: object) -> Heard:
        """The folder is looked at, a while later, and says so much more."""
        self.time += 2
        if self.facts and facts:
            self.facts = replace(self.facts, **facts)  # type: ignore[arg-type]  # the fields of Facts
        found = {} if self.facts is None else {"k": self.facts}
        statuses = {} if self.status is None else {"1.s": self.status}
        self.known = derive(self.known, found, statuses, self.stale_since, self.now)
        self.changes += self.known.changed
        return self

    def answer(self, job: Job | None) -> Heard:
        """The scheduler is asked, a while later, and says this; None: that it does not know the job."""
        self.time += 2
        self.status = updated(self.status or unheard("1.s", None, self.now.epoch), job, self.time)
        return self.look()

    @property
    def session(self) -> Session:
        return self.known.sessions["k"]

    @property
    def word(self) -> str:
        """The session's state, or `none`."""
        return self.session.state.value if self.known.sessions else "none"


def of(state: JobState) -> Job:
    """A job that waits."""
    return Job("1.s", state)


def ready() -> Heard:
    return Heard().answer(of(JobState.QUEUED)).look(run="r1", connection=CONNECTION).answer(RUNNING)


def stop(told: Heard) -> Heard:
    assert told.facts
    return told.look(record=replace(told.facts.record, stopped=told.now.epoch))


def refuse(told: Heard) -> Heard:
    assert told.facts
    return told.look(record=replace(told.facts.record, refused="The node does not answer."))


def miss(told: Heard, times: int, seconds: float) -> Heard:
    for _ in range(times):
        told.time += seconds
        told.answer(None)
    return told


def gone(told: Heard) -> Heard:
    told.facts = None
    return told.look()


def stale(told: Heard) -> Heard:
    told.stale_since = told.now.epoch
    return told.look()


def later(told: Heard) -> Heard:
    told.time += 600
    return told.look()


def again(told: Heard) -> Heard:
    """The next run, which has no display yet."""
    assert told.facts
    return told.look(run="r2" if told.facts.run else "r1", connection=None, end=None)


STATES: dict[str, Callable[[], Heard]] = {
    "new": lambda: Heard().look(),
    "queued": lambda: Heard().answer(of(JobState.QUEUED)),
    "held": lambda: Heard().answer(of(JobState.HELD)),
    "starting": lambda: Heard().answer(of(JobState.QUEUED)).look(run="r1").answer(RUNNING),
    "ready": ready,
    "suspended": lambda: ready().answer(replace(RUNNING, state=JobState.SUSPENDED)),
    "stopped": lambda: stop(ready()),
    "over": lambda: ready().look(end=END),
    "ended": lambda: ready().look(end=END).answer(Job("1.s", JobState.COMPLETED, exit_status=0)),
    "failed": lambda: Heard().answer(Job("1.s", JobState.COMPLETED, exit_status=1)),
    "unreachable": lambda: later(Heard().look()),
}
EVENTS: dict[str, Callable[[Heard], Heard]] = {
    "queued": lambda told: told.answer(of(JobState.QUEUED)),
    "held": lambda told: told.answer(of(JobState.HELD)),
    "running": lambda told: told.answer(RUNNING),
    "elsewhere": lambda told: told.answer(replace(RUNNING, node="n2", starts=2)),
    "suspended": lambda told: told.answer(replace(RUNNING, state=JobState.SUSPENDED)),
    "completed": lambda told: told.answer(Job("1.s", JobState.COMPLETED, exit_status=0)),
    "cancelled": lambda told: told.answer(Job("1.s", JobState.COMPLETED)),
    "unsaid": lambda told: told.answer(of(JobState.UNKNOWN)),
    "missed": lambda told: miss(told, 1, 0),
    "missed-3": lambda told: miss(told, 3, 0),
    "missed-1min": lambda told: miss(told, 3, 31),
    "run": again,
    "display": lambda told: told.look(run="r1", connection=CONNECTION),
    "end": lambda told: told.look(run="r1", connection=CONNECTION, end=END),
    "stop": stop,
    "refused": lambda told: refuse(stop(told)),
    "no-answer": stale,
    "time": later,
    "removed": gone,
}
TABLE = """
           |new         queued   held     starting ready    suspended stopped  over      ended     failed   unreachable
queued     |QUEUED      QUEUED   QUEUED   QUEUED   QUEUED   QUEUED    ENDING   QUEUED    QUEUED    QUEUED   QUEUED
held       |HELD        HELD     HELD     HELD     HELD     HELD      ENDING   HELD      HELD      HELD     HELD
running    |STARTING    STARTING STARTING STARTING READY    READY     ENDING   ENDING    ENDING    STARTING STARTING
elsewhere  |STARTING    STARTING STARTING STARTING STARTING STARTING  ENDING   STARTING  STARTING  STARTING STARTING
suspended  |SUSPENDED   SUSPENDED SUSPENDED SUSPENDED SUSPENDED SUSPENDED ENDING SUSPENDED SUSPENDED SUSPENDED SUSPENDED
completed  |FAILED      FAILED   FAILED   FAILED   FAILED   FAILED    ENDED    ENDED     ENDED     FAILED   FAILED
cancelled  |ENDED       ENDED    ENDED    ENDED    FAILED   FAILED    ENDED    ENDED     ENDED     ENDED    ENDED
unsaid     |UNREACHABLE QUEUED   HELD     STARTING READY    SUSPENDED ENDING   ENDING    ENDED     FAILED   UNREACHABLE
missed     |UNREACHABLE QUEUED   HELD     STARTING READY    SUSPENDED ENDING   ENDED     ENDED     FAILED   UNREACHABLE
missed-3   |UNREACHABLE QUEUED   HELD     STARTING READY    SUSPENDED ENDING   ENDED     ENDED     FAILED   UNREACHABLE
missed-1min|ENDED       ENDED    ENDED    ENDED    FAILED   FAILED    ENDED    ENDED     ENDED     FAILED   ENDED
run        |STARTING    STARTING STARTING STARTING STARTING SUSPENDED ENDING   STARTING  -         -        STARTING
display    |READY       READY    READY    READY    READY    SUSPENDED ENDING   ENDING    ENDED     -        READY
end        |ENDING      ENDING   ENDING   ENDING   ENDING   SUSPENDED ENDING   ENDING    ENDED     ENDED    ENDING
stop       |ENDING      ENDING   ENDING   ENDING   ENDING   ENDING    ENDING   ENDING    ENDED     FAILED   UNREACHABLE
refused    |QUEUED      QUEUED   HELD     STARTING READY    SUSPENDED READY     ENDING    ENDED     FAILED   UNREACHABLE
no-answer  |QUEUED      QUEUED   HELD     STARTING READY    SUSPENDED ENDING   ENDING    ENDED     FAILED   UNREACHABLE
time       |UNREACHABLE QUEUED   HELD     STARTING READY    SUSPENDED ENDING   ENDING    ENDED     FAILED   UNREACHABLE
removed    |none        none     none     none     none     none      none     none      none      none     none
"""
"""What happened, by what the session was; `-`: a job that is over does not run again."""


def cells() -> list[tuple[str, str, str]]:
    """(what it was, what happened, what it is then) of every cell of the table."""
    head, *rows = [line.replace("|", " ").split() for line in TABLE.strip().splitlines()]
    found = [(state, row[0], word) for row in rows for state, word in zip(head, row[1:], strict=True)]
    return [cell for cell in found if cell[2] != "-"]


def test_the_table_names_every_state_and_every_event() -> None:
    assert {state for state, _, _ in cells()} == set(STATES)
    assert {event for _, event, _ in cells()} == set(EVENTS)
    assert {STATES[name]().session.state for name in STATES} == set(SessionState)


@pytest.mark.parametrize(("state", "event", "word"), cells(), ids=lambda value: value)
def test_a_session_and_what_happens_to_it(state: str, event: str, word: str) -> None:
    told = STATES[state]()
    before = told.word
    assert EVENTS[event](told).word == word
    if word == "none":
        assert told.known.gone
    elif word != before:
        assert told.changes[-1] == told.session


@pytest.mark.parametrize("state", sorted(STATES))
def test_a_look_that_finds_nothing_new_changes_nothing(state: str) -> None:
    told = STATES[state]()
    told.look()
    assert (told.known.changed, told.known.news, told.known.gone) == ((), (), False)


@pytest.mark.parametrize("state", ["new", "queued", "ready", "stopped", "over", "unreachable"])
def test_an_answer_that_fails_to_come_is_a_change_that_its_user_sees(state: str) -> None:
    told = stale(STATES[state]())
    assert [session.stale_since for session in told.known.changed] == [told.stale_since]


# ---------------------------------------------------------------- what the job has said since
def test_a_run_is_believed_until_the_scheduler_is_asked_after_it_was_seen() -> None:
    told = Heard().answer(of(JobState.QUEUED)).look(run="r1", connection=CONNECTION)
    assert (told.session.job.state, told.session.job.node) == (JobState.RUNNING, "n1")
    told.answer(of(JobState.QUEUED))
    assert (told.word, told.session.connection) == ("QUEUED", None)


def test_a_word_that_was_asked_for_before_the_run_was_seen_says_nothing_of_it() -> None:
    told = Heard().answer(of(JobState.QUEUED))
    asked = told.time
    told.look(run="r1", connection=CONNECTION)
    told.status = JobStatus(of(JobState.QUEUED), asked)
    assert told.look().word == "READY"


def test_an_answer_that_says_nothing_of_a_job_takes_nothing_from_what_its_run_has_shown() -> None:
    told = Heard().look(run="r1", connection=CONNECTION)
    assert told.word == "READY"
    assert told.answer(of(JobState.UNKNOWN)).word == "READY"
    first = Heard().answer(of(JobState.UNKNOWN))
    assert first.word == "UNREACHABLE"
    assert first.look(run="r1", connection=CONNECTION).word == "READY"


@pytest.mark.parametrize("restart", [False, True])
def test_an_end_is_believed_though_the_last_word_on_its_job_is_that_it_waits(restart: bool) -> None:
    """The scheduler has forgotten the job: what it said before the run says nothing of the run's end."""
    told = Heard().answer(of(JobState.QUEUED)).look(run="r1", connection=CONNECTION).look(end=END)
    if restart:
        told.known = Known()
        told.look()
    miss(told, 1, 0)
    assert (told.word, told.session.end) == ("ENDED", END)
    assert told.look().session.end == END


def test_a_job_that_runs_again_has_no_exit_status_of_the_run_before() -> None:
    told = ready().answer(replace(RUNNING, starts=2, exit_status=271, ended=EPOCH + 5, cause="cancelled"))
    told.look(run="r2", connection=replace(CONNECTION, run="r2"))
    assert (told.word, told.session.job.exit_status, told.session.job.cause) == ("READY", None, None)


def test_a_run_that_had_a_display_and_tells_no_end_has_lost_its_node() -> None:
    told = ready().answer(Job("1.s", JobState.COMPLETED, exit_status=0, node="n1"))
    assert reason(told.session) == (
        "The job ended: its exit status was 0. The job has not said how: its node n1 may have failed."
    )
    late = told.look(end=END)
    assert (late.word, reason(late.session)) == ("ENDED", END.message)


def test_a_stop_that_was_refused_is_told_with_its_reason_and_the_session_lives_on() -> None:
    told = refuse(stop(ready()))
    assert told.word == "READY"
    assert told.known.pending, "it is asked about, as it is to end"
    assert "The node does not answer." in (reason(told.session) or "")
    assert told.changes[-1] == told.session


@pytest.mark.parametrize(
    ("told", "may_run"),
    [
        (lambda: miss(ready(), 3, 31), True),
        (lambda: refuse(stop(miss(ready(), 3, 31))), True),
        (lambda: stop(miss(ready(), 3, 31)), False),
        (lambda: miss(ready().look(end=END), 3, 31), False),
        (lambda: ready().answer(Job("1.s", JobState.COMPLETED, exit_status=0)), False),
        (ready, False),
    ],
)
def test_only_a_job_that_was_forgotten_may_run_on_behind_its_end(told: Callable[[], Heard], may_run: bool) -> None:
    assert told().session.may_run == may_run


def test_an_end_tells_the_exit_status_that_the_scheduler_has_forgotten() -> None:
    told = miss(ready().look(end=replace(END, exit_status=7)), 1, 0)
    assert (told.word, told.session.job.exit_status) == ("FAILED", 7)


def test_a_run_that_is_over_does_not_come_back_and_the_next_one_is_believed() -> None:
    told = ready().answer(of(JobState.QUEUED)).answer(RUNNING)
    assert (told.word, told.session.connection) == ("STARTING", None)
    told.look(run="r2", connection=replace(CONNECTION, run="r2"))
    assert told.word == "READY"
    told.look(run="r1", connection=CONNECTION)  # a file system that answers with the past
    assert told.word == "STARTING"


def test_what_was_remembered_of_a_session_goes_with_its_folder() -> None:
    told = ready()
    assert told.known.memories
    assert gone(told).known.memories == {}


# ---------------------------------------------------------------- news: reasons to ask the scheduler at once
@pytest.mark.parametrize(
    ("before", "then", "news"),
    [
        ({}, {}, False),
        ({}, {"run": "r1"}, True),
        ({"run": "r1"}, {"run": "r1"}, False),
        ({"run": "r1"}, {"connection": CONNECTION}, True),
        ({"run": "r1", "connection": CONNECTION}, {"end": END}, True),
        ({"run": "r1", "connection": CONNECTION}, {"run": "r2", "connection": None}, True),
        ({"run": "r1"}, {"run": None}, False),
    ],
)
def test_a_run_its_display_and_its_end_are_news_once(
    before: Mapping[str, object], then: Mapping[str, object], news: bool
) -> None:
    told = Heard().look(**before).look(**then)
    assert told.known.news == ((told.facts,) if news else ())
    assert told.look().known.news == ()


# ---------------------------------------------------------------- sessions whose job's id is not in their record
INTENT = replace(RECORD, job_id=None, submitted=None)


def test_an_intent_is_no_session_yet() -> None:
    told = Heard(Facts(INTENT)).look()
    assert (told.word, told.known.intents, told.known.late) == ("none", [INTENT], {})


@pytest.mark.parametrize("spoken", [{"connection": CONNECTION}, {"end": END}])
def test_the_job_itself_tells_its_id(spoken: dict[str, object]) -> None:
    told = Heard(Facts(INTENT)).look(run="r1", **spoken)
    assert (told.session.id, told.known.intents, told.known.late) == ("1.s", [], {"k": "1.s"})


def test_an_intents_job_is_adopted() -> None:
    told = Heard(Facts(INTENT)).look()
    told.known = told.known.adopting({"k": "1.s"})
    assert told.answer(RUNNING).word == "STARTING"
    assert (told.known.intents, told.known.late) == ([], {"k": "1.s"})
    told.look(record=RECORD)
    assert told.known.late == {}, "the record says it now"


def test_a_job_that_was_accepted_before_its_folder_was_seen_is_not_forgotten() -> None:
    told = Heard(None)
    told.known = told.known.adopting({"k": "1.s"})
    told.look()
    told.facts = Facts(INTENT)
    assert told.look().session.id == "1.s"


def test_an_intent_that_came_to_nothing_leaves_nothing() -> None:
    assert gone(Heard(Facts(INTENT)).look()).known.memories == {}


# ---------------------------------------------------------------- how often to look and to ask
@pytest.mark.parametrize("state", sorted(STATES))
def test_what_is_neither_ready_nor_over_is_pending(state: str) -> None:
    told = STATES[state]()
    assert told.known.pending == (state not in ("ready", "ended", "failed"))
    assert bool(told.known.live) == (state not in ("ended", "failed"))


def test_a_session_settles_a_while_after_its_end() -> None:
    told = STATES["ended"]()
    assert told.known.settled == {}
    told.time = END.time - EPOCH + timings.SETTLE + 1
    assert told.look().known.settled == {"k": told.facts}
    assert told.answer(RUNNING).known.settled == {}


def test_a_run_is_opening_for_a_while_and_until_it_says_something() -> None:
    told = Heard().answer(of(JobState.QUEUED)).look(run="r1")
    assert told.known.opening(told.now)
    told.time += timings.OPENS_WITHIN
    assert not told.known.opening(told.now)
    assert not ready().known.opening(ready().now)


@pytest.mark.parametrize(
    ("state", "cheap", "moving"),
    [
        ("over", True, True),
        ("stopped", False, True),
        ("new", True, True),
        ("new", False, False),
        ("held", True, False),
        ("ready", True, False),
    ],
)
def test_a_job_moves_while_it_ends_and_where_asking_is_cheap_while_it_is_young(
    state: str, cheap: bool, moving: bool
) -> None:
    told = STATES[state]()
    assert told.known.moving(told.now, cheap=cheap) == moving
    if state == "new":
        told.time += timings.JUST_SUBMITTED
        assert not told.known.moving(told.now, cheap=cheap)


def test_sessions_are_derived_each_by_itself() -> None:
    other = replace(RECORD, key="k2", job_id="2.s")
    facts = {"k": Facts(RECORD, "r1", CONNECTION), "k2": Facts(other)}
    words = {"1.s": JobStatus(RUNNING, 5.0), "2.s": JobStatus(Job("2.s", JobState.HELD), 5.0)}
    found = derive(Known(), facts, words, None, Now(EPOCH + 9, 9.0))
    assert [session.state.value for session in found.sessions.values()] == ["READY", "HELD"]
    fewer = derive(found, {"k": facts["k"]}, words, None, Now(EPOCH + 10, 10.0))
    assert (list(fewer.sessions), fewer.changed, fewer.gone) == (["k"], (), True)


def test_what_derives_has_no_clock_and_touches_nothing() -> None:
    for module in (known, job_status):
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        names = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
        assert names <= {"__future__", "collections.abc", "dataclasses", "typing"}
    assert runs.Runs.__dataclass_params__.frozen  # type: ignore[attr-defined]  # typeshed does not tell of it
