"""One job with odd values harms no other: of five, four come out exactly, and of the fifth what can be read."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qconnect_web.errors import SchedulerFailed
from qconnect_web.schedulers.commands import Done
from qconnect_web.schedulers.pbs import openpbs, torque
from qconnect_web.values.job import Job, JobState
from tests.schedulers import answers
from tests.schedulers.answers import FLAVOURS, NUMBERS, PLACES, read
from tests.support.extent import LONG
from tests.support.recordings import OPENPBS, recorded

CASES = 10_000 if LONG else 60
"""Odd answers for each way of writing them."""
BARE = ["005", "00", "007", "0x1F", "0x0", "1.", ".5", "+5", "-0", "1e5", "1e400", "inf", "nan", "-inf", "infinity"]
FUNCTION = '"() {  eval "$($LMOD_CMD bash "$@")"\n}"'
STRINGS = [FUNCTION, r'"C:\Users"', r'"DOM\group"', r'"a\,b"', '"tab\there"', '"\x01\x1b[31m"', '"{[}]"', '"a":{"b"']
XML = ["http://p.example/?a=1&b=2", "() { test 1 -gt 0 && echo ok; }", "a < b > c", "\x01\x1b", "&#0;", "&x;", "]]>"]
PBS = [flavour for flavour in FLAVOURS if flavour.startswith("openpbs")]
TORQUE = [flavour for flavour in FLAVOURS if flavour.startswith("torque")]


def job_ids(flavour: str) -> list[str]:
    return [str(number) if flavour.startswith("slurm") else f"{number}.pbs" for number in NUMBERS]


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_five_plain_jobs(flavour: str) -> None:
    found = read(flavour, {})
    assert list(found) == job_ids(flavour)
    for number, job in zip(NUMBERS, found.values(), strict=True):
        assert (job.state, job.node, job.queue, job.name) == (JobState.RUNNING, "n001", "workq", "plain")
        assert (job.session, job.walltime_s) == (f"key{number}", 8 * 3600)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("flavour", PBS)
def test_json_that_is_none_tells_of_all_jobs(flavour: str, place: str) -> None:
    plain = read(flavour, {})
    for value in [*BARE, *STRINGS]:
        for number in NUMBERS:
            if place == "name" and value in STRINGS:
                continue  # qsub takes no such name
            name = value if place == "name" else "plain"
            expected = {**plain, f"{number}.pbs": replace(plain[f"{number}.pbs"], name=name)}
            assert read(flavour, {number: {place: value}}) == expected, value


@pytest.mark.parametrize("place", ["account", "variable", "arguments"])
@pytest.mark.parametrize("flavour", [flavour for flavour in FLAVOURS if flavour.startswith("slurm")])
def test_bare_words_and_backslashes_in_the_json_of_slurm_hide_nothing(flavour: str, place: str) -> None:
    plain = read(flavour, {})
    for value in [*BARE, "-nan", r'"C:\Users\u1"', r'"a\,b"', r'"\"\\"']:
        assert read(flavour, {number: {place: value} for number in NUMBERS}) == plain, value


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("flavour", TORQUE)
def test_xml_that_is_none_tells_of_all_jobs(flavour: str, place: str) -> None:
    plain = read(flavour, {})
    for value in XML:
        for number in NUMBERS:
            name = value.strip() if place == "name" else "plain"
            expected = {**plain, f"{number}.pbs": replace(plain[f"{number}.pbs"], name=name)}
            assert read(flavour, {number: {place: value}}) == expected, value


def test_the_names_and_accounts_that_a_real_openpbs_wrote_as_numbers() -> None:
    for case, states in (
        ("json-name-inf-beside-good", {"29.pbshead": "plain", "32.pbshead": "inf"}),
        ("json-account-inf", {"33.pbshead": "t.sh"}),
        ("json-variable-numbers", {"35.pbshead": "t.sh"}),
        ("json-args-backslash", {"36.pbshead": "t.sh"}),
    ):
        answer = openpbs.answer(list(states), recorded(OPENPBS, case))
        assert {job_id: job.name for job_id, job in answer.items()} == states, case
        assert {job.state for job in answer.values()} == {JobState.HELD}, case
        assert all(job.comment and "qrls" in job.comment for job in answer.values())


ODD = st.one_of(
    st.text(max_size=30),
    st.text('"\\{}[],:<>/&;\n\t abz019', max_size=30),
    st.sampled_from([*BARE, *STRINGS, *XML]),
    st.text(max_size=20).map(lambda text: f'"{text}"'),
)


def forged(value: str) -> bool:
    """Whether somebody wrote a whole job into it; an id that stands there twice is not believed."""
    return any(str(number) in value for number in NUMBERS)


@pytest.mark.parametrize("flavour", FLAVOURS)
@settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(number=st.sampled_from(NUMBERS), odd=st.dictionaries(st.sampled_from(PLACES), ODD, min_size=1))
def test_odd_values_of_one_job_harm_no_other(flavour: str, number: int, odd: dict[str, str]) -> None:
    if any(map(forged, odd.values())):
        return
    plain, found = read(flavour, {}), read(flavour, {number: odd})
    bad = job_ids(flavour)[number - NUMBERS[0]]
    assert {job_id: job for job_id, job in found.items() if job_id != bad} == {
        job_id: job for job_id, job in plain.items() if job_id != bad
    }
    assert bad not in found or found[bad].state in (JobState.RUNNING, JobState.UNKNOWN)


@pytest.mark.parametrize(
    "value", ["{", "}", "[", "]", '"', "\\", ",", '"}', '"{', '{"a":', '"a"}', "}}", "", "<Job>", "</Job>"]
)
def test_marks_that_open_or_close_something_harm_no_other(value: str) -> None:
    for flavour in FLAVOURS:
        plain = read(flavour, {})
        for number, bad in zip(NUMBERS, job_ids(flavour), strict=True):
            for place in PLACES:
                found = read(flavour, {number: {place: value}})
                others = {job_id: job for job_id, job in plain.items() if job_id != bad}
                assert {job_id: job for job_id, job in found.items() if job_id != bad} == others, (flavour, place)


@pytest.mark.parametrize("flavour", ["openpbs", "slurm"])
def test_three_thousand_bad_jobs_take_hardly_longer_than_good_ones(
    flavour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error in a long text costs as much as all the text before it: each job is read by itself."""
    monkeypatch.setattr(answers, "NUMBERS", range(1, 3001))
    write, parse = FLAVOURS[flavour]

    def quickest(value: str) -> float:
        done, took = Done(("qstat",), 0, write({number: {"variable": value} for number in answers.NUMBERS}), ""), []
        for _ in range(2):
            before = time.process_time()
            assert len(parse(done)) == 3000
            took.append(time.process_time() - before)
        return min(took)

    assert quickest(FUNCTION) <= 9 * quickest('"plain"')


def test_a_job_that_stands_in_an_answer_twice_is_not_believed_unless_one_is_tagged() -> None:
    def said(*states: str) -> str:
        jobs = [f"<Job><Job_Id>1.h</Job_Id><job_state>{state}</job_state></Job>" for state in states]
        return f"<Data>{''.join(jobs)}</Data>"

    assert torque.jobs(Done(("qstat",), 0, said("R", "C"), "")) == [Job("1.h", JobState.UNKNOWN)]
    tagged = said("C", "R").replace("R</job_state>", "R</job_state><Variable_List>QCONNECT_SESSION=k</Variable_List>")
    (job,) = torque.jobs(Done(("qstat",), 0, tagged, ""))
    assert (job.state, job.session) == (JobState.RUNNING, "k")


@pytest.mark.parametrize("parse", [torque.jobs, openpbs.jobs])
def test_no_job_is_no_error_where_the_status_says_so(parse: object) -> None:
    """TORQUE before 6.1 prints nothing at all; to a question by ids the same emptiness says nothing of them."""
    assert parse(Done(("qstat",), 0, "", "")) == []  # type: ignore[operator]
    for answer in (torque.answer, openpbs.answer):
        assert answer(["1.h"], Done(("qstat",), 0, "", "")) == {"1.h": Job("1.h", JobState.UNKNOWN)}


def test_an_answer_that_was_cut_off_tells_of_the_jobs_before() -> None:
    for flavour, (write, parse) in FLAVOURS.items():
        whole, plain = write({}), read(flavour, {})
        for cut in range(0, len(whole), 97):
            try:
                jobs = parse(Done(("qstat",), 0, whole[:cut], ""))
            except SchedulerFailed:
                continue
            for job in jobs:
                assert job in (plain[job.id], Job(job.id, JobState.UNKNOWN)), (flavour, cut)
