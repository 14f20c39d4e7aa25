"""A batch system that is late, hung, wrong or down: no session is lost or doubled, and nobody waits for it.

Programs on PATH (tests/batch) play the faults, with the words of the real ones; Jupyter server, job script and xpra are
real. Where a test needs minutes, `hurried_server` turns them into seconds; QCONNECT_LONG_TESTS=1 runs the full numbers.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.batch.system import CANCEL, QUERY, SUBMIT, BatchSystem, running, server_of
from tests.support.deadline import eventually
from tests.support.extent import LONG
from tests.support.recordings import OPENPBS, SLURM, TORQUE, cases, recorded
from tests.support.servers import JupyterServer

ERRORS = 334 if LONG else 24
"""Errors for each of the three batch systems."""
LATE = 20 if LONG else 2
FAST: dict[str, Any] = {
    "PENDING_INTERVAL": 0.02,
    "READY_INTERVAL": 0.02,
    "MAX_INTERVAL": 0.02,
    "FIRST_STEP_DEAR": 0.02,
    "LOOK_WAITING": 0.05,
    "LOOK_WATCHED": 0.02,
    "questions": 1_000_000,
}
"""Questions one after another, as fast as they are answered."""
RECORDED = {"torque": TORQUE, "openpbs": OPENPBS, "slurm": SLURM}


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[JupyterServer]]:
    """The servers of a test; what they leave is ended with it."""
    found: list[JupyterServer] = []
    yield found
    for server in found:
        server.close()


def begin(servers: list[JupyterServer], home: Path, system: BatchSystem, **knobs: Any) -> JupyterServer:
    server = server_of(home, system, **knobs)
    servers.append(server)
    return server.start()


def failures(flavour: str) -> list[tuple[str, str, int]]:
    """Everything that this batch system was recorded to say when a question failed, and what all of them may meet."""
    names = [
        name for prefix in ("qstat", "squeue", "ctld_down_s") for name in cases(RECORDED[flavour], prefix, failed=True)
    ]
    found = [recorded(RECORDED[flavour], name) for name in names]
    killed = [
        ("", "Segmentation fault", 139),
        ("", "", 1),
        ("<Data><Job><Job_Id>1.he", "", 0),
        ("{", "", 0),
        ("", "", 0),
    ]
    if flavour == "slurm":  # slurm_errno.c
        said = ("Socket timed out on send/recv operation", "Zero Bytes were transmitted or received")
        killed += [("", f"slurm_load_jobs error: {text}", 1) for text in said]
    return [(done.out, done.err, done.status % 256) for done in found if "Invalid job id" not in done.err] + killed


def play(system: BatchSystem, program: str, said: list[tuple[str, str, int]], times: int) -> None:
    """The next calls of a program fail in each of these ways by turns."""
    folder = system.root / "cases"
    folder.mkdir()
    for number, (out, err, status) in enumerate(said):
        (folder / f"{number}.out").write_text(out)
        (folder / f"{number}.err").write_text(err)
        (folder / f"{number}.status").write_text(str(status))
    (system.root / "next").write_text("0")
    system.fault(
        program,
        f"""i=$(<"$QC_BATCH/next")
        if ((i < {times})); then
          echo $((i + 1)) >"$QC_BATCH/next"
          c=$QC_BATCH/cases/$((i % {len(said)}))
          cat "$c.out"; cat "$c.err" >&2; exit "$(<"$c.status")"
        fi""",
    )


@pytest.mark.parametrize("flavour", ["torque", "openpbs", "slurm"] if LONG else ["torque", "slurm"])
def test_no_error_of_the_batch_system_ends_or_hides_a_session(
    flavour: str, tmp_path: Path, servers: list[JupyterServer]
) -> None:
    system = BatchSystem(tmp_path / "batch", flavour)
    server = begin(servers, tmp_path, system, **FAST)
    job_id = server.launch()["id"]
    ready = server.wait_for(job_id, "READY")
    play(system, QUERY[flavour], failures(flavour), ERRORS)
    stale, deadline = 0, time.monotonic() + ERRORS
    while int((system.root / "next").read_text() or 0) < ERRORS:
        (session,) = server.sessions()
        assert (session["id"], session["state"]) == (job_id, "READY")
        stale += session["stale_since"] is not None
        assert time.monotonic() < deadline, "the errors are not asked for"
    assert stale, "the user is told that the words are old"
    eventually(lambda: server.session(job_id)["stale_since"] is None, 10, "an answer")
    assert server.session(job_id)["job"]["node"] == ready["job"]["node"]
    assert system.calls(CANCEL[flavour]) == []
    assert len(system.living()) == 1
    assert len(system.jobs()) == 1
    server.end(job_id)
    assert len(system.calls(CANCEL[flavour])) == 1


@pytest.mark.parametrize("flavour", ["torque", "openpbs"])
def test_of_two_sessions_beside_each_other_both_are_told(
    flavour: str, tmp_path: Path, servers: list[JupyterServer]
) -> None:
    """TORQUE prints a document for each; OpenPBS as it is installed names no job where finished ones are asked for."""
    system = BatchSystem(tmp_path / "batch", flavour)
    system.keep_no_history()
    server = begin(servers, tmp_path, system, **FAST, MISSING_FOR=0.2)
    one, other = (server.launch()["id"] for _ in range(2))
    for job_id in (one, other):
        server.wait_for(job_id, "READY")
    asked, deadline = len(system.calls("qstat")) + 20, time.monotonic() + 60
    while len(system.calls("qstat")) < asked:
        assert time.monotonic() < deadline, "no questions are put"
        found = {item["id"]: (item["state"], item["stale_since"]) for item in server.sessions()}
        assert found == {one: ("READY", None), other: ("READY", None)}
    server.end(one)
    assert server.session(other)["state"] == "READY"
    server.end(other)


def test_there_are_twenty_real_texts() -> None:
    texts = {(out, err) for flavour in RECORDED for out, err, _ in failures(flavour)}
    assert len(texts) >= 20


def test_a_hanging_question_keeps_nobody_waiting(tmp_path: Path, servers: list[JupyterServer]) -> None:
    system = BatchSystem(tmp_path / "batch", "torque")
    system.pause()
    server = begin(servers, tmp_path, system, **{**FAST, "QUERY_TIMEOUT": 1.5})
    job_id = server.launch()["id"]
    server.wait_for(job_id, "QUEUED")
    system.fault("qstat", "trap '' TERM; sleep 3600 & wait")
    eventually(lambda: system.alive("qstat"), 10, "a question that hangs")
    took, alive, deadline = [], 0, time.monotonic() + 3
    while time.monotonic() < deadline:
        before = time.monotonic()
        (session,) = server.sessions()
        took.append(time.monotonic() - before)
        assert session["state"] == "QUEUED"
        alive = max(alive, system.alive("qstat"))
        time.sleep(0.005)
    print(f"GET sessions: p99 {statistics.quantiles(took, n=100)[98] * 1000:.0f} ms of {len(took)}")
    assert statistics.quantiles(took, n=100)[98] <= 0.2
    assert alive == 1
    assert server.session(job_id)["stale_since"] is not None
    assert len([call for call in system.calls("qstat") if running(call.pid)]) <= 1
    system.well()
    eventually(lambda: server.session(job_id)["stale_since"] is None, 10, "an answer")


def test_a_submission_that_succeeds_after_our_time_out_is_one_job_and_one_session(
    tmp_path: Path, servers: list[JupyterServer]
) -> None:
    system = BatchSystem(tmp_path / "batch", "torque")
    system.pause()
    server = begin(servers, tmp_path, system, **{**FAST, "SUBMIT_TIMEOUT": 0.3})
    system.fault(
        "qsub",
        """cat >"$QC_BATCH/late.$$"
        again='sleep 0.6; exec "$0/python" -IS "$0/engine.py" "$0" qsub "${@:2}" <"$1"'
        setsid bash -c "$again" "$QC_BATCH" "$QC_BATCH/late.$$" "$@" >/dev/null 2>&1 &
        sleep 60""",
    )
    for turn in range(1, LATE + 1):
        answer = server.request("POST", "qconnect/api/sessions", {"app": "xterm"}, {"Idempotency-Key": f"k{turn}"})
        assert answer.status == 502, answer.body
        assert answer.json()["reason"] == "scheduler-unavailable"
        eventually(lambda turn=turn: len(server.sessions()) == turn, 15, "the session of the late job")
        again = server.request("POST", "qconnect/api/sessions", {"app": "xterm"}, {"Idempotency-Key": f"k{turn}"})
        assert again.status == 201, "the same request again finds the same session"
        assert len(system.jobs()) == turn
        assert {session["id"] for session in server.sessions()} == {f"{job.name}.head" for job in system.jobs()}


@pytest.mark.parametrize(("flavour", "out"), [("torque", "Quota: 17 of 20\\n42\\n"), ("slurm", "42\\n20\\n")])
def test_a_submission_whose_answer_says_no_id_is_one_job_and_one_session(
    flavour: str, out: str, tmp_path: Path, servers: list[JupyterServer]
) -> None:
    """The click is answered with an error, and the job that was made nevertheless is adopted; a second one is not."""
    system = BatchSystem(tmp_path / "batch", flavour)
    system.pause()
    server = begin(servers, tmp_path, system, **FAST)
    system.fault(SUBMIT[flavour], f"""engine "$@" >/dev/null; printf '{out}'; exit 0""")
    for _ in range(2):
        answer = server.request("POST", "qconnect/api/sessions", {"app": "xterm"}, {"Idempotency-Key": "click"})
        if answer.status == 201:
            break
        assert (answer.status, answer.json()["reason"]) == (502, "scheduler-unavailable")
        assert "look there before you start another" in answer.json()["message"]
        eventually(server.sessions, 15, "the session of the job")
    assert answer.status == 201, "the same click again finds the same session"
    assert len(system.jobs()) == len(server.sessions()) == 1


def test_a_start_is_answered_while_the_batch_system_still_thinks(tmp_path: Path, servers: list[JupyterServer]) -> None:
    """Who asked has words in time; the submission goes on, and is one session, also for who asks again."""
    system = BatchSystem(tmp_path / "batch", "torque")
    system.pause()
    server = begin(servers, tmp_path, system, **FAST, START_PATIENCE=0.5)
    for program in ("qstat", "pbsnodes"):  # a start asks for the queues, too
        system.fault(program, "exec sleep 60")
    system.fault("qsub", "sleep 2")
    key = {"Idempotency-Key": "patient"}
    began = time.monotonic()
    answer = server.request("POST", "qconnect/api/sessions", {"app": "xterm"}, key)
    assert time.monotonic() - began < 2
    assert (answer.status, answer.json()["reason"]) == (504, "unconfirmed")
    assert "Look there before you start another" in answer.json()["message"]
    system.well("qstat", "pbsnodes")
    (session,) = eventually(server.sessions, 30, "the session of the late job")
    again = server.request("POST", "qconnect/api/sessions", {"app": "xterm"}, key)
    assert (again.status, again.json()["id"]) == (201, session["id"])
    assert len(system.jobs()) == 1


def test_a_stop_that_its_node_refused_is_carried_out_when_it_is_back(
    tmp_path: Path, servers: list[JupyterServer]
) -> None:
    system = BatchSystem(tmp_path / "batch", "torque")
    server = begin(servers, tmp_path, system, **FAST, STOP_STEP=0.2)
    job_id = server.launch()["id"]
    server.wait_for(job_id, "READY")
    system.fault("qdel", "echo 'qdel: Server could not connect to MOM 1.head' >&2; exit 224")
    assert server.request("POST", f"qconnect/api/sessions/{job_id}/stop").status == 502
    eventually(lambda: len(system.calls("qdel")) >= 3, 15, "two more tries")
    session = server.session(job_id)
    assert session["state"] == "READY"
    assert "could not connect to MOM" in session["reason"]
    system.well("qdel")
    server.wait_for(job_id, "ENDED")


def test_an_id_in_a_sentence_is_found_with_its_cluster(tmp_path: Path, servers: list[JupyterServer]) -> None:
    system = BatchSystem(tmp_path / "batch", "slurm")
    system.pause()
    server = begin(servers, tmp_path, system, **FAST)
    system.fault(
        "sbatch", """id=$(engine "$@"); echo "Welcome"; echo "Submitted batch job $id on cluster c1"; exit 0"""
    )
    assert server.launch()["id"] == "1.c1"


def hear(server: JupyterServer, job_id: str, stop: threading.Event) -> None:
    """One tab: a page that beats, for as long as it is open."""
    address = f"ws{server.url.removeprefix('http')}qconnect/{job_id}/live"
    headers = {"Authorization": f"token {server.token}"}
    with connect(address, origin=Origin(server.origin), additional_headers=headers) as tab:
        while not stop.wait(1):
            tab.send('{"t": 1, "viewer": "tab-tab-tab", "client": false}')
            tab.recv(10)


def watch(servers: list[JupyterServer], job_id: str, tabs: int) -> tuple[threading.Event, list[threading.Thread]]:
    """So many tabs, on the servers by turns."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=hear, args=(servers[number % len(servers)], job_id, stop), daemon=True)
        for number in range(tabs)
    ]
    for thread in threads:
        thread.start()
    return stop, threads


MINUTE = 60.0 if LONG else 4.0
"""Seconds that stand for a minute: all constants of the poll that are times are scaled with it."""
SCALE = MINUTE / 60
SCALED = {
    "PENDING_INTERVAL": 10 * SCALE,
    "READY_INTERVAL": 60 * SCALE,
    "MAX_INTERVAL": 120 * SCALE,
    "FIRST_STEP_DEAR": 2 * SCALE,
    "WINDOW": 60 * SCALE,
    "EAGER": 60 * SCALE,
    "GLANCE": 15 * SCALE,
    "QUERY_TIMEOUT": 20 * SCALE,
}


def busiest(system: BatchSystem, since: float, until: float) -> int:
    """The most commands of any kind within any minute of a span; a tenth is left out, for what starting one takes."""
    times = [call.time for call in system.calls(since=since) if call.time < until]
    return max((sum(start <= when < start + 0.9 * MINUTE for when in times) for start in times), default=0)


@pytest.mark.parametrize("flavour", ["torque", "slurm"] if LONG else ["torque"])
def test_few_questions_however_many_tabs_servers_and_other_jobs(
    flavour: str, tmp_path: Path, servers: list[JupyterServer]
) -> None:
    system = BatchSystem(tmp_path / "batch", flavour)
    (system.root / "foreign").write_text("5000")
    system.pause()
    first, second = (begin(servers, tmp_path, system, **SCALED) for _ in range(2))
    job_id = first.launch()["id"]
    eventually(lambda: second.sessions(), 10, "the session on the other server")
    system.fault(QUERY[flavour], f"sleep {10 * SCALE}")
    began = time.time()
    stop, tabs = watch([first, second], job_id, 10)
    slowest = 0.0
    while time.time() < began + 2 * MINUTE:
        before = time.monotonic()
        assert first.sessions()[0]["state"] == "QUEUED"
        slowest = max(slowest, time.monotonic() - before)
        time.sleep(0.05)
    pending = busiest(system, began, time.time())
    print(f"{flavour}: {pending} commands in the busiest minute, 10 tabs on 2 servers; list {slowest * 1000:.0f} ms")
    assert 1 <= pending <= 6
    assert slowest <= 1
    stop.set()
    for tab in tabs:
        tab.join(20)


def test_when_all_is_ready_a_question_a_minute_and_when_nobody_watches_none(
    tmp_path: Path, servers: list[JupyterServer]
) -> None:
    system = BatchSystem(tmp_path / "batch", "torque")
    first, second = (begin(servers, tmp_path, system, **SCALED) for _ in range(2))
    job_id = first.launch()["id"]
    first.wait_for(job_id, "READY")
    stop, tabs = watch([first, second], job_id, 10)
    time.sleep(MINUTE)  # what the start itself brought about is over then
    began = time.time()
    time.sleep(2.2 * MINUTE)  # the span that is looked at: nothing is waited for
    ready = busiest(system, began, time.time())
    print(f"{ready} commands in the busiest minute when all is READY, 10 tabs on 2 servers")
    stop.set()
    for tab in tabs:
        tab.join(20)
    time.sleep(GLANCED := 20 * SCALE)
    began = time.time()
    time.sleep(1.3 * MINUTE)
    idle = len(system.calls(since=began))
    print(f"{idle} commands in over a minute when nobody watches and nothing is pending, {GLANCED:g} s after the last")
    assert ready <= 1
    assert idle == 0
    first.end(job_id)


def test_a_refusal_reaches_the_user_with_the_batch_systems_own_words(
    tmp_path: Path, servers: list[JupyterServer]
) -> None:
    system = BatchSystem(tmp_path / "batch", "torque")
    server = begin(servers, tmp_path, system)
    said = recorded(TORQUE, "qsub-host-not-allowed")
    system.fault("qsub", f"echo '{said.err.strip()}' >&2; exit {said.status}")
    answer = server.request("POST", "qconnect/api/sessions", {"app": "xterm"})
    assert answer.status == 502
    assert answer.json()["reason"] == "not-a-submit-host"
    assert "submit_hosts" in answer.json()["message"]
    assert said.err.strip() in answer.json()["message"]
    assert server.sessions() == []
    assert not list((tmp_path / ".local/share/qconnect/sessions").glob("[!.]*")), "nothing is left of it"
    system.fault("qdel", "echo 'qdel: Server could not connect to MOM 1.head' >&2; exit 224")
    system.well("qsub")
    job_id = server.launch()["id"]
    answer = server.request("POST", f"qconnect/api/sessions/{job_id}/stop")
    assert (answer.status, answer.json()["reason"]) == (502, "scheduler-unavailable")
    assert "node does not answer" in answer.json()["message"]
    system.well("qdel")
    server.end(job_id)


def test_a_requeued_session_waits_again_and_comes_back_with_a_display_of_its_own(
    tmp_path: Path, servers: list[JupyterServer]
) -> None:
    system = BatchSystem(tmp_path / "batch", "torque")
    server = begin(servers, tmp_path, system, **FAST)
    job_id = server.launch()["id"]
    server.wait_for(job_id, "READY")
    folder = next((tmp_path / ".local/share/qconnect/sessions").glob("[!.]*"))
    connection = (folder / "connection.json").read_text()
    system.operate("qrerun", "1")
    server.wait_for(job_id, "QUEUED")
    eventually(lambda: not (folder / "connection.json").exists(), 10, "the end of the first run")
    # What a node that was cut off would leave: the files of the first run stay.
    left = folder / "connection.json"
    left.touch(mode=0o600)
    left.write_text(connection)
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        assert server.session(job_id)["state"] == "QUEUED"
    system.operate("qrun", "1")
    began = time.monotonic()
    server.wait_for(job_id, "READY")
    print(f"READY {time.monotonic() - began:.1f} s after the second start")
    assert (folder / "connection.json").read_text() != connection
    server.end(job_id)


def test_a_display_that_hung_up_is_not_dialled_again_before_the_batch_system_was_asked(
    tmp_path: Path, servers: list[JupyterServer]
) -> None:
    """The kernel kills a job that is to run again, whose files stay; at its address there may be anybody."""
    system = BatchSystem(tmp_path / "batch", "torque")
    server = begin(servers, tmp_path, system)
    job_id = server.launch()["id"]
    server.wait_for(job_id, "READY")
    (path,) = (tmp_path / ".local/share/qconnect/sessions").glob("[!.]*/connection.json")
    port = json.loads(path.read_text().splitlines()[0])["port"]
    with display(server, job_id) as shown:
        for number in (signal.SIGSTOP, signal.SIGKILL):
            if number is signal.SIGKILL:
                system.operate("qrerun", "1")
            for pid in server.leftovers():
                with suppress(ProcessLookupError):  # one that was about to end
                    os.kill(pid, number)
        with suppress(ConnectionClosed):
            while shown.recv(10):
                pass
    assert path.exists()
    eventually(lambda: not server.leftovers(), 5, "the end of all processes")
    with socket.create_server(("", port)) as squatter:
        squatter.settimeout(3)
        again = threading.Thread(target=reopen, args=(server, job_id))
        again.start()
        with pytest.raises(TimeoutError):
            squatter.accept()
    assert server.session(job_id)["state"] == "QUEUED"
    system.operate("qrun", "1")
    server.wait_for(job_id, "READY")
    server.end(job_id)
    again.join(30)


def reopen(server: JupyterServer, job_id: str) -> None:
    with suppress(OSError, WebSocketException), display(server, job_id):
        pass


def display(server: JupyterServer, job_id: str) -> ClientConnection:
    """A session's display, as a page would open it."""
    address = f"ws{server.url.removeprefix('http')}qconnect/{job_id}/ws/{secrets.token_hex(8)}"
    headers = {"Authorization": f"token {server.token}"}
    return connect(
        address,
        origin=Origin(server.origin),
        additional_headers=headers,
        subprotocols=[Subprotocol("binary")],
        open_timeout=30,
    )
