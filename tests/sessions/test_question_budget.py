"""How often the scheduler may be asked, and how soon that is worth it; no job, no scheduler, no clock."""

from __future__ import annotations

import random
from bisect import bisect_left
from itertools import pairwise

import pytest

from qconnect_web.sessions import timings
from qconnect_web.sessions.clock import Now
from qconnect_web.sessions.question_budget import QuestionBudget

pytestmark = pytest.mark.unit

EPOCH = 1_000_000.0


def at(seconds: float) -> Now:
    return Now(EPOCH + seconds, seconds)


@pytest.fixture(autouse=True)
def no_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, _high: low)


def budget(*, cheap: bool = False, most: int = 5) -> QuestionBudget:
    return QuestionBudget(most=most, cheap=cheap)


def asked(rations: QuestionBudget, seconds: float, *, answered: bool = True) -> bool:
    """Whether it allowed a question, which was put and answered within no time."""
    if not rations.allows(at(seconds), heard=False, more=False):
        return False
    rations.note_question(at(seconds))
    if answered:
        rations.note_answer(at(seconds))
    else:
        rations.note_failure()
    return True


def postponed(rations: QuestionBudget, seconds: float, *, pending: bool, watched: bool, moving: bool) -> float:
    """Seconds to the next question as it is postponed."""
    rations.postpone(at(seconds), pending=pending, watched=watched, moving=moving)
    return rations.due_in(at(seconds))


def test_the_first_question_is_due_at_once() -> None:
    assert budget().due_in(at(0)) <= 0


@pytest.mark.parametrize(
    ("pending", "watched", "wait"),
    [
        (True, True, timings.PENDING_INTERVAL),
        (True, False, timings.READY_INTERVAL),
        (False, True, timings.READY_INTERVAL),
        (False, False, timings.READY_INTERVAL),
    ],
)
def test_the_next_one_comes_sooner_while_somebody_waits(pending: bool, watched: bool, wait: float) -> None:
    rations = budget(most=1000)
    assert asked(rations, 0)
    assert postponed(rations, 0, pending=pending, watched=watched, moving=False) == pytest.approx(wait)


def test_an_answer_that_is_old_already_makes_the_next_question_come_sooner() -> None:
    rations = budget(most=1000)
    assert asked(rations, 0)
    assert postponed(rations, 4, pending=True, watched=True, moving=False) == pytest.approx(6)


def test_intervals_are_longer_at_random_and_never_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    waits = set()
    for _ in range(50):
        rations = budget(most=1000)
        assert asked(rations, 0)
        waits.add(postponed(rations, 0, pending=True, watched=True, moving=False))
    assert len(waits) > 10
    assert min(waits) >= timings.PENDING_INTERVAL
    assert max(waits) <= timings.PENDING_INTERVAL * (1 + timings.SPREAD)


@pytest.mark.parametrize(("cheap", "steps"), [(True, [0.25, 0.5, 1, 2, 4, 8, 10, 10]), (False, [2, 4, 8, 10, 10])])
def test_a_job_that_moves_is_asked_about_in_steps_that_double(cheap: bool, steps: list[float]) -> None:
    rations = budget(cheap=cheap, most=1000)
    rations.hurry(at(0))
    waits = []
    for _ in steps:
        assert asked(rations, 0)
        waits.append(postponed(rations, 0, pending=True, watched=True, moving=True))
    assert waits == pytest.approx(steps)
    rations.hurry(at(0))
    assert asked(rations, 0)
    assert postponed(rations, 0, pending=True, watched=True, moving=True) == pytest.approx(steps[0])


def test_a_scheduler_that_does_not_answer_is_asked_more_and_more_seldom() -> None:
    rations, waits = budget(cheap=True), []
    for _ in range(6):
        assert asked(rations, 0, answered=False)
        waits.append(postponed(rations, 0, pending=True, watched=True, moving=True))
    assert waits == pytest.approx([10, 20, 40, 80, 120, 120])
    assert asked(rations, 0)
    assert postponed(rations, 0, pending=True, watched=True, moving=False) == pytest.approx(10)


def test_an_outage_of_days_and_an_end_of_hours_are_borne() -> None:
    rations = budget(cheap=True)
    for _ in range(1200):
        rations.note_failure()
        wait = postponed(rations, 0, pending=True, watched=True, moving=True)
    assert wait == pytest.approx(timings.MAX_INTERVAL)


@pytest.mark.parametrize(("cheap", "wait"), [(False, timings.PENDING_INTERVAL), (True, 0)])
def test_what_a_job_tells_itself_is_asked_about_when_it_is_time_unless_asking_costs_nothing(
    cheap: bool, wait: float
) -> None:
    rations = budget(cheap=cheap)
    assert asked(rations, 0)
    assert postponed(rations, 0, pending=False, watched=True, moving=False) == pytest.approx(timings.READY_INTERVAL)
    rations.expect(at(20))
    assert max(0, rations.due_in(at(20))) == pytest.approx(wait)
    rations.expect(at(25))
    assert max(0, rations.due_in(at(25))) == pytest.approx(max(0, wait - 5)), "what is due already stays so"


def test_a_change_while_a_question_is_under_way_is_asked_about_at_once() -> None:
    rations = budget()
    assert asked(rations, 0)
    rations.hurry(at(0))
    assert postponed(rations, 0, pending=False, watched=False, moving=False) <= 0


def most_within(moments: list[float], seconds: float) -> int:
    """The most questions within any span of so many seconds."""
    return max(bisect_left(moments, start + seconds) - number for number, start in enumerate(moments))


@pytest.mark.parametrize("most", [1, 2, 5])
@pytest.mark.parametrize("servers", [1, 3])
def test_an_hour_of_clicks_costs_what_an_hour_may(most: int, servers: int) -> None:
    rations = [budget(most=most) for _ in range(servers)]
    moments: list[float] = []
    for second in range(2 * 3600):
        one = rations[second % servers]
        one.note_others([EPOCH + moment for moment in moments[-3 * most :]], EPOCH, at(second))
        one.hurry(at(second))
        moments += [float(second)] if asked(one, second) else []
    assert most_within(moments, 3600) <= 60 * most
    assert most_within(moments, 60) <= timings.BURST * most
    assert len(moments) >= 0.97 * 2 * 60 * most, "what may be asked is asked"


def test_twelve_questions_in_the_first_minute_and_seven_of_them_at_once() -> None:
    rations = budget()
    moments = []
    for tick in range(600):
        rations.hurry(at(tick / 10))
        moments += [tick / 10] if asked(rations, tick / 10) else []
    assert len(moments) in (11, 12)
    assert moments[:7] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert rations.due_in(at(60)) <= timings.WINDOW / 4


def test_who_only_looks_leaves_the_burst_to_who_acts() -> None:
    rations = budget()
    moments = [float(second) for second in range(1800) if asked(rations, second)]
    gaps = [after - before for before, after in pairwise(moments)]
    assert 12 <= min(gaps) <= max(gaps) <= 13
    rations.hurry(at(1800))
    assert [asked(rations, 1800 + tick / 10) for tick in range(6)] == [True] * 6


def test_who_looks_waits_as_long_as_the_bucket_takes_for_one_and_not_while_things_happen() -> None:
    rations = budget()
    assert asked(rations, 0)
    assert postponed(rations, 0, pending=True, watched=True, moving=False) == pytest.approx(12.3, abs=0.1)
    rations.hurry(at(1))
    assert asked(rations, 1)
    assert postponed(rations, 1, pending=True, watched=True, moving=False) == pytest.approx(10)


def test_what_changed_is_asked_about_however_long_that_was_not_possible() -> None:
    rations = budget()
    rations.hurry(at(0))
    rations.note_others([EPOCH + timings.EAGER], 0.0, at(timings.EAGER + 1))
    assert asked(rations, timings.EAGER + 1)


def test_when_the_burst_is_spent_something_is_heard_every_thirteen_seconds() -> None:
    rations = budget()
    for tick in range(30):
        rations.hurry(at(tick))
        asked(rations, tick)
    moments = [float(second) for second in range(30, 900) if asked(rations, second)]
    assert max(after - before for before, after in pairwise(moments)) <= 13


def followed(rations: QuestionBudget, seconds: float) -> int:
    """How many follow-ups it allows at that moment, at most ten."""
    return sum(rations.more(at(seconds), must=False) for _ in range(10))


def test_follow_ups_come_out_of_the_same_bucket_and_leave_some_for_who_acts() -> None:
    rations = budget()
    assert asked(rations, 0)
    assert followed(rations, 0) == 3
    rations.hurry(at(1))
    assert [asked(rations, 1 + tick / 10) for tick in range(4)] == [True] * 3 + [False]


def test_no_follow_up_is_put_while_there_is_no_question_left() -> None:
    rations = budget()
    for tick in range(20):
        rations.hurry(at(tick / 10))
        asked(rations, tick / 10)
    put = len(rations.asked)
    assert not rations.more(at(2), must=False)
    assert len(rations.asked) == put


def test_a_follow_up_that_was_not_to_spare_is_made_up_for_by_the_next_question_for_all() -> None:
    rations = budget()
    for second in range(61):  # the burst is spent
        rations.hurry(at(second))
        asked(rations, second)
    looks = (second for second in range(61, 400) if asked(rations, second))
    late = (second for second in looks if second > 60 + timings.EAGER)
    followed_up = next(second for second in late if rations.more(at(second + 0.5), must=False))
    assert next(looks) - followed_up in (24, 25, 26), "twice as long as between two others"
    assert next(looks) - followed_up in (37, 38, 39)


@pytest.mark.parametrize("acting", [False, True])
def test_an_hour_in_which_every_answer_leaves_jobs_out_costs_what_an_hour_may(acting: bool) -> None:
    rations, moments, follow_ups = budget(), [], 0
    for second in range(2 * 3600):
        if acting:
            rations.hurry(at(second))
        if asked(rations, second):
            found = followed(rations, second)
            moments += [float(second)] * (1 + found)
            follow_ups += found
    assert most_within(moments, 3600) <= 300
    assert most_within(moments, 60) <= timings.BURST * 5
    assert follow_ups >= 80, "of each job something is heard some time"
    assert len(moments) - follow_ups >= 3 * 2 * 60, "and of all of them most of the time"


def test_an_answer_about_queues_says_nothing_of_jobs() -> None:
    """Nobody waits for it, or takes it for a question that the batch system has not answered; here and elsewhere."""
    here, elsewhere = budget(), budget()
    assert asked(here, 0)
    assert here.more(at(5), must=True)
    elsewhere.note_others(here.asked, EPOCH, at(6), here.beside)
    for rations in (here, elsewhere):
        assert rations.open_for(at(6)) == 0
        assert asked(rations, 13), "as if it had not been put"


def test_questions_that_must_be_put_are_made_up_for() -> None:
    rations, moments = budget(), []
    for second in range(3600):
        if second % 120 == 0:
            moments += [float(second)] * 3
            for _ in range(3):
                assert rations.more(at(second), must=True)
        rations.hurry(at(second))
        moments += [float(second)] if asked(rations, second) else []
    assert most_within(sorted(moments), 3600) <= 300


def test_a_cheap_scheduler_is_asked_at_will() -> None:
    rations = budget(cheap=True)
    assert all(asked(rations, second / 10) for second in range(100))
    assert not rations.young(at(10).monotonic, at(10))


def test_what_other_servers_asked_counts() -> None:
    rations = budget()
    rations.note_others([EPOCH + second / 2 for second in range(7)], EPOCH + 3.5, at(4))
    rations.hurry(at(4))
    assert not asked(rations, 4)
    assert 0 < rations.due_in(at(4)) < timings.WINDOW / 4


def test_questions_and_answers_of_the_future_are_a_clock_that_was_wrong() -> None:
    rations = budget(most=1)
    rations.note_others([EPOCH + 3600], EPOCH + 3600, at(0))
    assert rations.answered == EPOCH
    assert asked(rations, 1)


def test_another_servers_young_answer_saves_the_question_unless_somebody_hurries_or_wants_more() -> None:
    rations = budget()
    assert rations.young(at(1).monotonic, at(timings.PENDING_INTERVAL * timings.YOUNG))
    assert not rations.young(at(0).monotonic, at(timings.PENDING_INTERVAL))
    assert not rations.allows(at(1), heard=True, more=False)
    assert rations.allows(at(1), heard=True, more=True)
    rations.hurry(at(0))
    assert rations.allows(at(1), heard=True, more=False)


def test_another_servers_question_is_waited_for_in_short_steps_and_not_for_ever() -> None:
    rations = budget()
    rations.note_others([EPOCH + 1], 0.0, at(2))
    assert not asked(rations, 2)
    assert postponed(rations, 2, pending=False, watched=True, moving=False) == pytest.approx(timings.ELSEWHERE_STEP)
    assert asked(rations, 1 + timings.WINDOW / 4)


def test_who_hurries_waits_for_no_other_servers_answer() -> None:
    rations = budget()
    rations.note_others([EPOCH + 1], 0.0, at(2))
    rations.hurry(at(0))
    assert asked(rations, 2)
    assert postponed(rations, 2, pending=True, watched=True, moving=False) > timings.ELSEWHERE_STEP, "it has its own"
