"""Values and the state that is derived from them."""

from __future__ import annotations

import itertools
from dataclasses import asdict

import pytest

from qconnect_web.errors import BadRequest
from qconnect_web.sessions import describe
from qconnect_web.units import format_memory, format_walltime, parse_memory, parse_walltime
from qconnect_web.values.job import Job, JobSpec, JobState
from qconnect_web.values.session import Connection, End, Record, Session, SessionState, session_state

pytestmark = pytest.mark.unit
CONNECTION = Connection(
    run="r",
    job="1.local",
    node="n1",
    port=20001,
    socket=None,
    display=":1",
    xpra="3.1.3",
    fingerprint="0" * 64,
    time=1.0,
)


def job(state: JobState, exit_status: int | None = None, cause: str | None = None) -> Job:
    return Job("1.local", state, exit_status=exit_status, cause=cause)


def end(reason: str, exit_status: int | None = None) -> End:
    return End(run="r", job="1.local", node="n1", reason=reason, message="m", exit_status=exit_status, time=2.0)


@pytest.mark.parametrize(
    ("given", "connection", "ended", "seen"),
    [
        (job(JobState.QUEUED), None, None, SessionState.QUEUED),
        (job(JobState.HELD), None, None, SessionState.HELD),
        (job(JobState.SUSPENDED), CONNECTION, None, SessionState.SUSPENDED),
        (job(JobState.RUNNING), None, None, SessionState.STARTING),
        (job(JobState.RUNNING), CONNECTION, None, SessionState.READY),
        (job(JobState.RUNNING), CONNECTION, end("app-exit", 0), SessionState.ENDING),
        (job(JobState.QUEUED), CONNECTION, None, SessionState.QUEUED),
        (job(JobState.UNKNOWN), CONNECTION, None, SessionState.UNREACHABLE),
        (job(JobState.COMPLETED, 0), None, end("app-exit", 0), SessionState.ENDED),
        (job(JobState.COMPLETED, 1), CONNECTION, end("app-exit", 1), SessionState.FAILED),
        (job(JobState.COMPLETED, 271), CONNECTION, end("cancelled"), SessionState.ENDED),
        (job(JobState.COMPLETED, -11), CONNECTION, end("walltime"), SessionState.ENDED),
        (job(JobState.COMPLETED, 1), None, end("app-missing", 127), SessionState.FAILED),
        (job(JobState.COMPLETED, None), None, None, SessionState.ENDED),
        (job(JobState.COMPLETED, 271, "cancelled"), None, None, SessionState.ENDED),
        (job(JobState.COMPLETED, -11, "walltime"), CONNECTION, None, SessionState.ENDED),
        (job(JobState.COMPLETED, -10, "memory"), CONNECTION, None, SessionState.FAILED),
        (job(JobState.COMPLETED, 1), CONNECTION, None, SessionState.FAILED),
        (job(JobState.COMPLETED, 0), None, None, SessionState.FAILED),
    ],
)
def test_session_state_is_derived(
    given: Job, connection: Connection | None, ended: End | None, seen: SessionState
) -> None:
    assert session_state(given, connection, ended) is seen


def test_session_state_is_total() -> None:
    reasons = [None, end("app-exit", 0), end("app-exit", 3), end("xpra-died"), end("a-word-of-tomorrow")]
    for state, connection, ended in itertools.product(JobState, [None, CONNECTION], reasons):
        assert session_state(job(state), connection, ended) in SessionState


def test_a_session_told_to_stop_is_ending_until_the_scheduler_says_that_it_ended() -> None:
    record = Record("k", "xterm", "XTerm", JobSpec("x"), ("xterm",), created=1.0, job_id="1.local", stopped=2.0)
    assert Session(record, job(JobState.RUNNING), CONNECTION).state is SessionState.ENDING
    assert Session(record, job(JobState.COMPLETED, 271, "cancelled")).state is SessionState.ENDED


def test_why_a_session_ends_is_told_before_the_scheduler_knows_it() -> None:
    record = Record("k", "xterm", "XTerm", JobSpec("xterm"), ("xterm",), 1.0, job_id="1.local")
    session = Session(record, job(JobState.RUNNING), CONNECTION, end("app-missing", 127))
    assert (session.state, describe.reason(session)) == (SessionState.ENDING, "m")


@pytest.mark.parametrize(("text", "seconds"), [("04:00:00", 14400), ("59:30", 3570), ("2-01:00:00", 176400)])
def test_walltime_is_read(text: str, seconds: int) -> None:
    assert parse_walltime(text) == seconds
    assert parse_walltime(format_walltime(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "4", "4x", "00:00:30", "1:60:00", "-1:00:00", "01:00\n:00", "٠١:٠٠:٠٠"])
def test_a_bad_walltime_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadRequest, match="00:0"):
        parse_walltime(text)


@pytest.mark.parametrize(("text", "size"), [("4GB", 4 << 30), ("512 mb", 512 << 20), ("1T", 1 << 40)])
def test_memory_is_read(text: str, size: int) -> None:
    assert parse_memory(text) == size
    assert parse_memory(format_memory(size)) == size


@pytest.mark.parametrize("text", ["", "0GB", "4B", "4GBx", "lots", "1.GB", "-1GB", "٤GB"])
def test_a_bad_memory_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadRequest, match="4GB"):
        parse_memory(text)


def test_values_survive_json() -> None:
    spec = JobSpec("ü $(x)", cores=2, native=("-l", "feature=fast"))
    record = Record("k", "xterm", "XTerm", spec, ("xterm", "-e", "a\nb"), created=1.0, submitter="h:1:2")
    assert Record.from_json(record.to_json()) == record


def test_unknown_keys_are_an_error() -> None:
    with pytest.raises(BadRequest, match="colour"):
        JobSpec.from_json({"name": "x", "colour": "red"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 22},
        {"port": 70000},
        {"socket": "/tmp/x"},
        {"port": None},
        {"node": "evil host"},
        {"node": "-oProxyCommand=x"},
        {"fingerprint": "00"},
        {"port": "20001"},
    ],
)
def test_a_connection_that_no_job_writes_is_refused(wrong: dict[str, object]) -> None:
    data = {**CONNECTION.__dict__, **wrong}
    with pytest.raises(BadRequest):
        Connection.from_json(data)


def test_a_connection_that_names_no_protocol_is_xpras_and_an_unknown_one_is_none() -> None:
    data = asdict(CONNECTION)
    assert data.pop("protocol") == "xpra"
    assert Connection.from_json(data).protocol == "xpra"
    assert Connection.from_json({**data, "protocol": "rfb", "xpra": ""}).protocol == "rfb"
    with pytest.raises(BadRequest):
        Connection.from_json({**data, "protocol": "gopher"})
