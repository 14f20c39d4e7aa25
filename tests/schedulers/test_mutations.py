"""Whatever a batch system answers, the parsers give jobs, UNKNOWN, or an error of ours; and they are quick."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qconnect_web.errors import SchedulerFailed
from qconnect_web.schedulers.commands import Done
from qconnect_web.schedulers.pbs import openpbs, torque, torque_xml
from qconnect_web.schedulers.slurm import jobs as slurm_jobs
from qconnect_web.schedulers.slurm import queues
from qconnect_web.values.job import JOB_ID, Job, JobState
from tests.support.recordings import OPENPBS, SLURM, TORQUE, recorded

pytestmark = pytest.mark.unit
EXAMPLES, EACH = 12, 140
"""For each of six parsers: 10 080 mutations in all."""
ODD = [
    "",
    "-1",
    "1e999",
    "nan",
    "\x00",
    "\x1b[2J",
    "ｘ",
    "9" * 400,
    "<![CDATA[",
    "&lt;",
    "&#0;",
    "&x;",
    "true",
    "null",
    "{",
    "]",
    "/",
    "=",
    "\u2028",
]
VALUES: list[Any] = [
    None,
    True,
    -1,
    2**70,
    1.5,
    "",
    "x" * 3000,
    [],
    {},
    [[]],
    {"number": {}},
    {"set": True, "number": "x"},
    "\x00",
]


def wrong(text: str, chance: random.Random) -> str:
    """The text, torn, doubled, mixed up or with something odd in it."""
    start, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    end = min(end, start + chance.choice((1, 3, 20, 4000)))
    return chance.choice(
        (
            lambda: text[:start],
            lambda: text[:start] + text[end:],
            lambda: text[:end] + text[start:],
            lambda: text[:start] + chance.choice(ODD) + text[end:],
            lambda: text[:start] + text[start:end][::-1] + text[end:],
            lambda: text[:start] + chr(chance.randrange(1, 0xD7FF)) + text[start:],
            lambda: text.replace(chance.choice(("job", "Job", "state", ">", '"', ":", "[", "1")), chance.choice(ODD)),
        )
    )()


def warped(data: Any, chance: random.Random) -> Any:
    """The data with one value replaced by something that no batch system would write there."""
    if not isinstance(data, dict | list) or not data or chance.random() < 0.2:
        return chance.choice(VALUES)
    key = chance.choice(list(data)) if isinstance(data, dict) else chance.randrange(len(data))
    changed = dict(data) if isinstance(data, dict) else list(data)
    changed[key] = warped(data[key], chance)  # type: ignore[call-overload]  # a key of the one or the other
    return changed


def mutated(text: str, chance: random.Random) -> str:
    if text.lstrip().startswith("{") and chance.random() < 0.5:
        return json.dumps(warped(json.loads(text), chance))
    if text.startswith("<") and chance.random() < 0.5:  # still XML, with a value that no batch system would write
        values = [found.span(1) for found in re.finditer(r">([^<>]+)<", text)]
        start, end = chance.choice(values)
        return text[:start] + escape(str(chance.choice([*ODD, *VALUES]))) + text[end:]
    for _ in range(chance.choice((1, 1, 2, 5))):
        text = wrong(text, chance)
    return text


PARSERS: dict[str, tuple[str, Callable[[Done], list[Job]]]] = {
    "qstat -x": (recorded(TORQUE, "qstat-x-two-one-unknown").out, torque.jobs),
    "qstat -x of three ids": (recorded(TORQUE, "qstat-x-three-ids").out, torque.jobs),
    "qstat -x of all": (recorded(TORQUE, "qstat-x-QRCEH").out, torque.jobs),
    "qstat -F json": (recorded(OPENPBS, "qstat-f-json").out, openpbs.jobs),
    "qstat -F json of all": (recorded(OPENPBS, "qstat-f-json-all").out, openpbs.jobs),
    "squeue --json": (recorded(SLURM, "squeue_json").out, lambda done: slurm_jobs.jobs_of_json(done, "alice")),
    "scontrol": (recorded(SLURM, "scontrol_job_o").out, lambda done: slurm_jobs.jobs_of_lines(done, "alice")),
}


def sound(job: Job) -> bool:
    """Whether each value is of its kind: nothing of a mutation gets into the rooms above as something else."""
    texts = (job.node, job.queue, job.name, job.comment, job.session, job.cause)
    numbers = (job.submitted, job.started, job.ended, job.walltime_s, job.exit_status, job.starts)
    return (
        bool(JOB_ID.fullmatch(job.id))
        and isinstance(job.state, JobState)
        and all(text is None or isinstance(text, str) for text in texts)
        and all(number is None or (isinstance(number, int | float) and number == number) for number in numbers)
    )


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_a_mutated_answer_is_jobs_or_an_error_of_ours(name: str, seed: int) -> None:
    text, parse = PARSERS[name]
    chance = random.Random(seed)
    for _ in range(EACH):
        done = Done(("qstat",), chance.choice((0, 0, 153)), mutated(text, chance), "")
        try:
            jobs = parse(done)
        except SchedulerFailed:
            continue
        assert all(map(sound, jobs)), done.out


@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_mutated_queues_and_nodes_are_queues_or_an_error_of_ours(seed: int) -> None:
    chance = random.Random(seed)
    partitions = "batch|batch*|up|1-00:00:00|4|4000|3/5/0/8|1-infinite\ngui|gui|up|12:00:00|4|4000|0/8/0/8|1-2\n"

    def said(text: str) -> Done:
        return Done(("qstat",), 0, mutated(text, chance), "")

    for _ in range(20):
        for read in (
            lambda: torque.queues(
                said(recorded(TORQUE, "qstat-Qf").out),
                said(recorded(TORQUE, "pbsnodes-x").out),
                said(recorded(TORQUE, "qstat-B-f").out),
            ),
            lambda: openpbs.queues(
                said(recorded(OPENPBS, "qstat-Qf-json").out),
                said(recorded(OPENPBS, "pbsnodes-json").out),
                said(recorded(OPENPBS, "qstat-Bf").out),
            ),
            lambda: queues.queues(said(partitions)),
        ):
            try:
                found = read()
            except SchedulerFailed:
                continue
            assert all(isinstance(queue.name, str) and isinstance(queue.enabled, bool) for queue in found)


def test_definitions_in_xml_are_not_even_read() -> None:
    bomb = '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    with pytest.raises(SchedulerFailed, match="definitions"):
        torque.jobs(Done(("qstat",), 0, f"{bomb}<Data><Queue>&b;</Queue></Data>", ""))
    job = "<Job><Job_Id>1.h</Job_Id><Job_Name>&b;</Job_Name><job_state>R</job_state></Job>"
    (told,) = torque.jobs(Done(("qstat",), 0, f"{bomb}<Data>{job}</Data>", ""))
    assert (told.id, told.name, told.state) == ("1.h", "&b;", JobState.RUNNING)


def test_json_that_is_too_deep_is_an_error_of_ours() -> None:
    for parse in (openpbs.jobs, lambda done: slurm_jobs.jobs_of_json(done, "alice")):
        with pytest.raises(SchedulerFailed):
            parse(Done(("qstat",), 0, "[" * 200_000, ""))


def many(name: str, number: int) -> str:
    """An answer with so many jobs, each like a recorded one."""
    if name == "qstat -x":
        job = recorded(TORQUE, "qstat-x-job").out.split("<Data>")[1].split("</Data>")[0]
        return "<Data>" + "".join(job.replace("3.torquehead", f"{i}.torquehead") for i in range(number)) + "</Data>"
    if name == "qstat -F json":
        data = json.loads(recorded(OPENPBS, "qstat-f-json").out)
        data["Jobs"] = {f"{i}.torquehead": data["Jobs"]["1.torquehead"] for i in range(number)}
    else:
        data = json.loads(recorded(SLURM, "squeue_json").out)
        data["jobs"] = [{**data["jobs"][0], "job_id": i + 1} for i in range(number)]
    return json.dumps(data)


def quickest(work: Callable[[], object]) -> float:
    """Seconds of processor time, the least of three."""
    took = []
    for _ in range(3):
        before = time.process_time()
        work()
        took.append(time.process_time() - before)
    return min(took)


@pytest.mark.parametrize("name", ["qstat -x", "qstat -F json", "squeue --json"])
def test_five_thousand_jobs_take_hardly_longer_than_reading_their_text(name: str) -> None:
    """0.2 to 0.3 s on an idle 2-core machine; both double on a busy one, so that their ratio is what is tested."""
    done = Done(("qstat",), 0, many(name, 5000), "")
    read = torque_xml.parsed if done.out[0] == "<" else json.loads
    text = quickest(lambda: read(done.out))
    jobs = quickest(lambda: PARSERS[name][1](done))
    print(f"{name}: 5 000 jobs, {len(done.out) >> 10} KiB, {jobs * 1000:.0f} ms, the text alone {text * 1000:.0f} ms")
    assert len(PARSERS[name][1](done)) == 5000
    assert jobs <= 8 * text
