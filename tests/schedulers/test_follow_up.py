"""A job that an answer is silent about is asked about by itself, and is never taken for gone because of that."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from qconnect_web.errors import SchedulerFailed, SchedulerUnavailable
from qconnect_web.schedulers.commands import Commands, Done
from qconnect_web.schedulers.pbs.openpbs import OpenPbsScheduler
from qconnect_web.schedulers.pbs.torque import TorqueScheduler
from qconnect_web.schedulers.slurm import jobs as slurm_jobs
from qconnect_web.schedulers.slurm.scheduler import SlurmScheduler
from qconnect_web.values.job import Job, JobState
from tests.support.recordings import OPENPBS, SLURM, recorded

IDS = ["1.head", "2.head", "3.head"]
KINDS: dict[str, Any] = {"torque": TorqueScheduler, "openpbs": OpenPbsScheduler, "slurm": SlurmScheduler}
Say = Callable[[list[str]], Done]


class Played(Commands):
    """Commands that are not run: each question is noted and gets the answer of a function."""

    def __init__(self, say: Say) -> None:
        super().__init__()
        self.say = say
        self.asked: list[list[str]] = []

    async def ask(self, argv: Sequence[str]) -> Done:
        self.asked.append(list(argv))
        return self.say(list(argv))


def named(argv: list[str]) -> list[str]:
    """The ids that a question names."""
    return [word for word in argv if word[0].isdigit()]


def torque_xml(ids: Sequence[str], err: str = "") -> Done:
    jobs = (f"<Data><Job><Job_Id>{job_id}</Job_Id><job_state>R</job_state></Job></Data>" for job_id in ids)
    return Done(("qstat",), 153 if err else 0, "".join(jobs) or "<Data></Data>", err)


def pbs_json(ids: Sequence[str]) -> Done:
    jobs = {job_id: {"job_state": "R", "queue": "workq"} for job_id in ids}
    return Done(("qstat",), 0, json.dumps({"pbs_server": "head", **({"Jobs": jobs} if jobs else {})}), "")


def pbs_text(ids: Sequence[str]) -> Done:
    jobs = (f"Job Id: {job_id}\n    job_state = R\n    queue = workq\n    run_count = 1\n\n" for job_id in ids)
    return Done(("qstat",), 0, "".join(jobs), "")


def squeue(ids: Sequence[str], errors: Sequence[str] = (), uid: int = 1001) -> Done:
    jobs = [{"job_id": int(job_id), "job_state": ["RUNNING"], "user_id": uid, "user_name": "u1"} for job_id in ids]
    said = {"jobs": jobs, "errors": [{"description": text, "error_number": 1} for text in errors]}
    return Done(("squeue",), 0, json.dumps(said), "")


def states(answer: dict[str, Job]) -> dict[str, str]:
    return {job_id: job.state.value for job_id, job in answer.items()}


# ------------------------------------------------------------------ TORQUE
def test_torque_is_asked_again_about_a_job_that_it_left_out() -> None:
    commands = Played(lambda argv: torque_xml(named(argv)[:1]))
    scheduler = TorqueScheduler(commands, user="alice")
    assert states(asyncio.run(scheduler.query(IDS))) == dict.fromkeys(IDS, "RUNNING")
    assert [named(argv) for argv in commands.asked] == [IDS, ["2.head"], ["3.head"]]


def test_only_an_error_that_names_a_job_makes_it_missing() -> None:
    def say(argv: list[str]) -> Done:
        left_out = named(argv) == ["2.head"]
        return torque_xml([], "qstat: Unknown Job Id Error 2.head") if left_out else torque_xml(["1.head"])

    answer = asyncio.run(TorqueScheduler(Played(say), user="alice").query(IDS))
    assert states(answer) == {"1.head": "RUNNING", "3.head": "UNKNOWN"}


@pytest.mark.parametrize("alone", ["", "<Data></Data>", "qstat: garbage"])
def test_silence_about_one_job_is_not_gone(alone: str) -> None:
    def say(argv: list[str]) -> Done:
        return torque_xml(["1.head"]) if len(named(argv)) > 1 else Done(("qstat",), 0, alone, "")

    scheduler = TorqueScheduler(Played(say), user="alice")
    for _ in range(4):
        assert states(asyncio.run(scheduler.query(IDS[:2]))) == {"1.head": "RUNNING", "2.head": "UNKNOWN"}


class Ration:
    """Lets so many more questions pass; counts those that are put in any case."""

    def __init__(self, left: int = 0) -> None:
        self.left, self.forced = left, 0

    def __call__(self, *, must: bool = False) -> bool:
        self.forced += must
        self.left -= not must
        return must or self.left >= 0


def test_the_questions_about_left_out_jobs_are_rationed_and_who_was_left_out_stands_first() -> None:
    many = [f"{number}.head" for number in range(1, 101)]
    commands = Played(lambda argv: torque_xml(named(argv)[:1]))
    scheduler = TorqueScheduler(commands, user="alice")
    heard: set[str] = set()
    for number in range(40):
        answer = asyncio.run(scheduler.query(many, Ration(number % 4 and 1)))
        assert set(answer) == set(many), "none is missing"
        heard |= {job_id for job_id, job in answer.items() if job.state is JobState.RUNNING}
    assert len(commands.asked) == 40 + 30
    assert len(heard) >= 40, "another one each time"


@pytest.mark.parametrize(("left", "put"), [(0, 1), (1, 2), (2, 3)])
@pytest.mark.parametrize("flavour", ["torque", "openpbs", "slurm"])
def test_no_question_beyond_the_first_is_put_without_leave(flavour: str, left: int, put: int) -> None:
    """Where an answer tells of the first of three jobs alone, with or without JSON."""
    say = {"torque": lambda argv: torque_xml(named(argv)[:1]), "openpbs": openpbs_first, "slurm": slurm_first}[flavour]
    commands = Played(say)
    asyncio.run(KINDS[flavour](commands, user="u1").query([name.partition(".")[0] for name in IDS], Ration(left)))
    assert len(commands.asked) == (put if flavour != "openpbs" else min(put, 2)), "OpenPBS tells all the rest at once"


def openpbs_first(argv: list[str]) -> Done:
    return pbs_json(named(argv)[:1]) if "json" in argv else pbs_text(named(argv))


def slurm_first(argv: list[str]) -> Done:
    return squeue(["1"], uid=os.getuid()) if argv[0] == "squeue" else scontrol(argv[-1], uid=os.getuid())


def test_questions_that_there_is_no_way_around_are_counted() -> None:
    """Those of OpenPBS without history, of its own jobs, of a Slurm without JSON, and about queues."""
    ration = Ration()
    no_history = Done(("qstat",), 0, "", "PBS is not configured to maintain job history")
    commands = Played(lambda argv: no_history if "-x" in argv else pbs_json(named(argv)))
    asyncio.run(OpenPbsScheduler(commands, user="u1").query(IDS, ration))
    assert (len(commands.asked), ration.forced) == (2, 1)
    commands = Played(
        lambda argv: Done(("qselect",), 0, "1.head", "") if argv[0] == "qselect" else pbs_json(["1.head"])
    )
    asyncio.run(OpenPbsScheduler(commands, user="u1").mine(ration))
    assert (len(commands.asked), ration.forced) == (2, 2)
    commands = Played(lambda argv: Done(("qstat",), 0, "", ""))
    asyncio.run(TorqueScheduler(commands, user="u1").queues(ration))
    assert (len(commands.asked), ration.forced) == (3, 4)
    no_json = recorded(SLURM, "scontrol_job_json")
    commands = Played(lambda argv: no_json if argv[0] == "squeue" else scontrol("1"))
    asyncio.run(SlurmScheduler(commands, user="u1", uid=1001).mine(ration))
    assert (len(commands.asked), ration.forced) == (2, 5)


def test_what_is_not_told_is_in_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    said = {"quiet": False}
    commands = Played(lambda argv: torque_xml(named(argv)[:1] if said["quiet"] else named(argv)))
    scheduler = TorqueScheduler(commands, user="alice")
    with caplog.at_level(logging.WARNING):
        asyncio.run(scheduler.query(IDS))
        assert not caplog.records
        commands.say = lambda argv: torque_xml(["1.head"])
        for _ in range(3):
            asyncio.run(scheduler.query(IDS))
    lines = [record.getMessage() for record in caplog.records]
    assert sum("2.head" in line for line in lines) == sum("3.head" in line for line in lines) == 1


@pytest.mark.parametrize("flavour", ["torque", "openpbs", "slurm"])
def test_a_server_that_dies_behind_its_answer_is_asked_once_more_and_the_answer_stands(flavour: str) -> None:
    said = {"torque": torque_xml, "openpbs": pbs_json, "slurm": lambda ids: squeue(ids, uid=os.getuid())}[flavour]
    ids = ["1", "2", "3"] if flavour == "slurm" else IDS

    def say(argv: list[str]) -> Done:
        if len(commands.asked) > 1:
            raise SchedulerUnavailable("qstat did not answer within 20 seconds and was ended.")
        return said(ids[:1])

    commands = Played(say)
    answer = asyncio.run(KINDS[flavour](commands, user="u1").query(ids))
    assert states(answer) == {ids[0]: "RUNNING", ids[1]: "UNKNOWN", ids[2]: "UNKNOWN"}
    assert len(commands.asked) == 2


@pytest.mark.parametrize("said", ["", "<Data></Data>"])
def test_an_answer_that_tells_of_no_job_is_none(said: str) -> None:
    """The words that are known stand, with their age; so they do for a job that nobody can say the state of."""
    scheduler = TorqueScheduler(Played(lambda _: Done(("qstat",), 0, said, "")), user="alice")
    for ids in (IDS, IDS[:1]):
        with pytest.raises(SchedulerUnavailable, match="told of none"):
            asyncio.run(scheduler.query(ids))
    moved = "<Data><Job><Job_Id>1.head</Job_Id><job_state>M</job_state></Job></Data>"
    commands = Played(lambda _: Done(("qstat",), 0, moved, ""))
    assert states(asyncio.run(TorqueScheduler(commands, user="alice").query(["1.head"]))) == {"1.head": "UNKNOWN"}


# ------------------------------------------------------------------ OpenPBS
def first_only(argv: list[str]) -> Done:
    """As builds after 23.06: of several jobs the JSON holds the first one only, with status 0."""
    return pbs_json(named(argv)[:1]) if "json" in argv else pbs_text(named(argv))


def test_openpbs_is_asked_without_json_where_that_is_partial_and_from_then_on() -> None:
    commands = Played(first_only)
    scheduler = OpenPbsScheduler(commands, user="alice")
    for _ in range(3):
        answer = asyncio.run(scheduler.query(IDS))
        assert {job_id: (job.state.value, job.queue) for job_id, job in answer.items()} == dict.fromkeys(
            IDS, ("RUNNING", "workq")
        )
    assert [(named(argv), "json" in argv) for argv in commands.asked] == [
        (IDS, True),
        (IDS[1:], False),
        (IDS, False),
        (IDS, False),
    ]


def test_json_that_cannot_be_read_at_all_is_asked_for_once() -> None:
    commands = Played(lambda argv: Done(("qstat",), 0, "{inf", "") if "json" in argv else pbs_text(named(argv)))
    scheduler = OpenPbsScheduler(commands, user="alice")
    for _ in range(2):
        assert states(asyncio.run(scheduler.query(IDS))) == dict.fromkeys(IDS, "RUNNING")
    assert ["json" in argv for argv in commands.asked] == [True, False, False]


def test_a_server_that_is_down_is_not_asked_twice() -> None:
    commands = Played(lambda _: recorded(OPENPBS, "server-down-json"))
    scheduler = OpenPbsScheduler(commands, user="alice")
    with pytest.raises(SchedulerUnavailable):
        asyncio.run(scheduler.query(IDS))
    assert len(commands.asked) == 1


def test_the_text_of_a_real_openpbs_tells_what_its_json_tells() -> None:
    commands = Played(lambda argv: recorded(OPENPBS, "qstat-f-json" if "json" in argv else "qstat-f-running"))
    scheduler = OpenPbsScheduler(commands, user="alice")
    by_json = asyncio.run(scheduler.query(["1.torquehead"]))
    scheduler._json = False
    assert asyncio.run(scheduler.query(["1.torquehead"])) == by_json
    assert by_json["1.torquehead"].started


def test_one_odd_job_of_the_users_does_not_hide_his_sessions() -> None:
    """What a submission that failed looks for among all the user's jobs, an own one called inf among them."""

    def say(argv: list[str]) -> Done:
        return Done(("qselect",), 0, "29.pbshead\n32.pbshead\n46[].pbshead\n", "") if argv[0] == "qselect" else odd

    odd = recorded(OPENPBS, "json-name-inf-beside-good")
    jobs = asyncio.run(OpenPbsScheduler(Played(say), user="alice").mine())
    assert [(job.id, job.name) for job in jobs] == [("29.pbshead", "plain"), ("32.pbshead", "inf")]


# ------------------------------------------------------------------ Slurm
def slurm(say: Say) -> tuple[SlurmScheduler, Played]:
    commands = Played(say)
    return SlurmScheduler(commands, user="u1", uid=1001), commands


def scontrol(job_id: str, state: str = "RUNNING", uid: int = 1001) -> Done:
    line = f"JobId={job_id} JobName=x UserId=u1({uid}) GroupId=g(100) JobState={state} Reason=None BatchHost=n1\n"
    return Done(("scontrol",), 0, line, "")


def test_a_job_that_squeue_leaves_out_is_asked_about_by_itself() -> None:
    scheduler, commands = slurm(lambda argv: squeue(["1"]) if argv[0] == "squeue" else scontrol(argv[-1]))
    assert states(asyncio.run(scheduler.query(["1", "2"]))) == {"1": "RUNNING", "2": "RUNNING"}
    assert [argv[0] for argv in commands.asked] == ["squeue", "scontrol"]


def test_a_job_that_slurm_names_as_unknown_is_missing_and_not_asked_about_again() -> None:
    unknown = recorded(SLURM, "scontrol_unknown")
    scheduler, commands = slurm(lambda argv: squeue(["1"]) if argv[0] == "squeue" else unknown)
    for _ in range(3):
        assert states(asyncio.run(scheduler.query(["1", "2"]))) == {"1": "RUNNING"}
    assert [argv[0] for argv in commands.asked] == ["squeue", "scontrol", "squeue", "squeue"]
    commands.say = lambda _: squeue(["1", "2"])
    assert set(asyncio.run(scheduler.query(["1", "2"]))) == {"1", "2"}, "it is believed when it is told again"


def test_a_controller_that_dies_between_two_questions_says_nothing() -> None:
    down = recorded(SLURM, "ctld_down_squeue")
    scheduler, _ = slurm(lambda argv: squeue(["1"]) if argv[0] == "squeue" else down)
    assert states(asyncio.run(scheduler.query(["1", "2"]))) == {"1": "RUNNING", "2": "UNKNOWN"}


def test_errors_in_an_answer_without_jobs_are_errors() -> None:
    scheduler, _ = slurm(lambda _: squeue([], ["Unable to contact slurm controller (connect failure)"]))
    with pytest.raises(SchedulerUnavailable, match="Unable to contact"):
        asyncio.run(scheduler.mine())
    scheduler, _ = slurm(lambda _: squeue([], ["Unexpected plugin"]))
    with pytest.raises(SchedulerFailed, match="Unexpected plugin"):
        asyncio.run(scheduler.mine())
    scheduler, _ = slurm(lambda _: squeue(["1"], ["one cluster does not answer"]))
    assert len(asyncio.run(scheduler.mine())) == 1


def test_the_jobs_of_several_clusters_stand_in_several_documents() -> None:
    documents = [squeue(["7"]).out, squeue(["8"]).out]
    for between in ("\n", "\n\n", "\nCLUSTER: beta\n"):
        done = Done(("squeue",), 0, "CLUSTER: alpha\n" + between.join(documents), "")
        assert [job.id for job in slurm_jobs.jobs_of_json(done, "u1")] == ["7", "8"]


def test_owners_are_told_by_their_number_where_the_name_is_odd() -> None:
    for name in ("", "u1@corp", None):
        item = {"job_id": 1, "job_state": "RUNNING", "user_id": 1001, "user_name": name}
        done = Done(("squeue",), 0, json.dumps({"jobs": [item]}), "")
        assert [job.id for job in slurm_jobs.jobs_of_json(done, "u1", 1001)] == ["1"]
        assert slurm_jobs.jobs_of_json(done, "u1", 1002) == []
    for name in ("u1", "CORP\\u1", "nobody", "a(b)"):
        line = f"JobId=9 JobName=x UserId={name}(1001) JobState=RUNNING"
        assert len(slurm_jobs.jobs_of_lines(Done(("scontrol",), 0, line, ""), "u1", 1001)) == 1
        assert slurm_jobs.jobs_of_lines(Done(("scontrol",), 0, line, ""), "u1", 1002) == []
