"""What is done to sessions is noted, in the log and in a file that nobody else can use; a bad file harms nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pwd
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qconnect_web.config import QConnect
from qconnect_web.errors import NotReady
from qconnect_web.sessions import audit_file
from qconnect_web.sessions.audit import TERMINAL, Audit, Caller
from qconnect_web.sessions.audit_file import WAITING, AuditFile
from qconnect_web.values.job import Job, JobState
from qconnect_web.values.session import Session
from tests.sessions.test_store import RECORD
from tests.support.servers import REPOSITORY

pytestmark = pytest.mark.unit
LOG = logging.getLogger("audited")
ALICE = Caller("10.0.0.7", "alice@hub")
QUEUED = Session(replace(RECORD, job_id="17.head"), Job("17.head", JobState.QUEUED))
OVER = replace(QUEUED, job=Job("17.head", JobState.COMPLETED, exit_status=0))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is put is written, however busy the machine is."""
    monkeypatch.setattr(audit_file, "PATIENCE", 60.0)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def noted(path: Path, play: Callable[[Audit], None]) -> list[dict[str, Any]]:
    """What stands in the file after these deeds."""
    audit = Audit(LOG, AuditFile(path, LOG))
    play(audit)
    audit.close()
    return lines(path)


def start(audit: Audit) -> None:
    with audit.deed("start", ALICE, app="xterm") as deed:
        deed.session = QUEUED


def test_who_did_what_to_which_session_from_where(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    (line,) = noted(tmp_path / "audit", start)
    assert line.pop("time").endswith("Z")
    assert line.pop("account")
    assert line == {
        **{"event": "start", "result": "done", "job": "17.head", "app": RECORD.app, "session": RECORD.key},
        **{"user": "alice@hub", "from": "10.0.0.7", "uid": os.getuid()},
    }
    assert caplog.messages == [f"qconnect: start of session 17.head ({RECORD.app}) from 10.0.0.7: done"]
    assert (tmp_path / "audit").stat().st_mode & 0o777 == 0o600


def test_a_refusal_is_noted_with_its_reason_and_goes_on(tmp_path: Path) -> None:
    def play(audit: Audit) -> None:
        with pytest.raises(NotReady), audit.deed("remove", TERMINAL, job="17"):
            raise NotReady("It lives.", reason="still-alive")

    (line,) = noted(tmp_path / "audit", play)
    assert (line["event"], line["result"], line["job"], line["from"]) == ("remove", "still-alive", "17", "terminal")


@pytest.mark.parametrize("fault", [ZeroDivisionError, asyncio.CancelledError])
def test_a_deed_that_a_fault_of_ours_broke_off_is_noted_as_that(fault: type[BaseException], tmp_path: Path) -> None:
    def play(audit: Audit) -> None:
        with pytest.raises(fault), audit.deed("stop", ALICE, job="17"):
            raise fault

    (line,) = noted(tmp_path / "audit", play)
    assert (line["event"], line["result"]) == ("stop", "broken-off")


def test_a_user_without_an_account_is_noted_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)  # as in a container
    (line,) = noted(tmp_path / "audit", start)
    assert (line["account"], line["uid"]) == (None, os.getuid())


def test_an_end_is_noted_once_and_only_of_a_session_that_was_seen_alive(tmp_path: Path) -> None:
    other = replace(OVER, record=replace(RECORD, key="fedcba9876543210", job_id="18.head"))

    def play(audit: Audit) -> None:
        for session in (other, QUEUED, OVER, OVER):
            audit.seen(session)

    (line,) = noted(tmp_path / "audit", play)
    assert (line["event"], line["job"], line["from"], line["user"]) == ("end", "17.head", "batch", None)


def test_what_a_request_names_moves_and_hides_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    def play(audit: Audit) -> None:
        with audit.deed("stop", ALICE, job="1\x1b[2J\n\u202e\x7f" + "9" * 5000, app="x\u2066"):
            pass

    noted(tmp_path / "audit", play)
    text = (tmp_path / "audit").read_text()
    assert text.count("\n") == 1
    assert text.removesuffix("\n").isprintable()
    assert text.isascii()
    assert len(text) < 600
    assert len(caplog.messages[0]) < 400
    assert caplog.messages[0].isprintable()


def link(path: Path) -> None:
    path.with_name("elsewhere").touch(0o600)
    path.symlink_to("elsewhere")


def second_name(path: Path) -> None:
    path.touch(0o600)
    path.with_name("elsewhere").hardlink_to(path)


def shared(path: Path) -> None:
    path.touch()
    path.chmod(0o640)


def somebodys(path: Path) -> None:
    path.touch(0o600)
    os.chown(path, 12345, 12345)


BAD = [link, second_name, shared, os.mkfifo, Path.mkdir]


@pytest.mark.parametrize("make", [*BAD, somebodys] if os.geteuid() == 0 else BAD)
def test_a_file_that_is_not_the_users_alone_is_not_written_which_is_said_once(
    make: Callable[[Path], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "audit"
    make(path)
    audit = Audit(LOG, AuditFile(path, LOG))
    for _ in range(3):
        start(audit)
    audit.close()
    elsewhere = tmp_path / "elsewhere"
    assert not elsewhere.exists() or elsewhere.read_text() == ""
    assert path.is_dir() or path.is_fifo() or path.read_text() == ""
    (said,) = [message for message in caplog.messages if "lines are lost" in message]
    assert str(path) in said


def test_what_was_lost_is_counted_where_it_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "later/audit"
    audit = Audit(LOG, AuditFile(path, LOG))
    file = audit._file
    assert file
    start(audit)
    start(audit)
    while file._failed < 2 or not file._lines.empty():
        threading.Event().wait(0.01)
    path.parent.mkdir()
    start(audit)
    audit.close()
    assert lines(path)[0] == {"event": "lost", "lines": 2}
    assert [line["event"] for line in lines(path)] == ["lost", "start"]


def test_a_disk_that_hangs_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    back, path = threading.Event(), tmp_path / "audit"
    append = audit_file.append_private
    monkeypatch.setattr(audit_file, "append_private", lambda *args: (back.wait(60), append(*args)))
    file = AuditFile(path, LOG)
    for number in range(WAITING + 100):
        file.put(json.dumps({"number": number}))
    back.set()
    while not file._lines.empty():
        threading.Event().wait(0.01)
    file.put(json.dumps({"number": "last"}))
    file.close()
    found = lines(path)
    lost = sum(line.get("lines", 0) for line in found)
    assert 90 <= lost <= 100
    assert [line for line in found if "number" in line][-1] == {"number": "last"}
    assert len(found) - sum("lines" in line for line in found) == WAITING + 101 - lost


def test_a_server_ends_though_the_disk_hangs_and_all_room_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = threading.Event()
    monkeypatch.setattr(audit_file, "append_private", lambda *_: back.wait(60))
    monkeypatch.setattr(audit_file, "PATIENCE", 0.05)
    file = AuditFile(tmp_path / "audit", LOG)
    file.put("{}")
    while not file._lines.empty():
        threading.Event().wait(0.01)
    for _ in range(WAITING + 10):
        file.put("{}")
    ending = threading.Thread(target=file.close)
    ending.start()
    ending.join(30)
    assert not ending.is_alive()
    back.set()


SHORT = """
import resource, signal, sys
from pathlib import Path
from qconnect_web.private_files import append_private
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (30, 1000))
append_private(path, b'{"first": "0123456789"}\\n')
try:
    append_private(path, b'{"second": "0123456789"}\\n')
except OSError as error:
    assert str(path) in str(error), error
else:
    sys.exit("nothing was said of a disk that is full")
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
append_private(path, b'{"third": "0123456789"}\\n')
"""


def test_half_a_line_does_not_run_into_the_next(tmp_path: Path) -> None:
    """Where the disk has room for half of it: the kernel takes so much, and refuses the rest."""
    path = tmp_path / "audit"
    subprocess.run([sys.executable, "-c", SHORT, path], cwd=REPOSITORY, check=True, timeout=60)
    first, half, third = path.read_text().splitlines()
    assert [json.loads(line) for line in (first, third)] == [{"first": "0123456789"}, {"third": "0123456789"}]
    assert half == '{"seco'


def test_two_servers_write_whole_lines_into_one_file(tmp_path: Path) -> None:
    files = [AuditFile(tmp_path / "audit", LOG) for _ in range(2)]
    for number in range(300):
        for file in files:
            file.put(json.dumps({"number": number, "text": "x" * 200}))
    for file in files:
        file.close()
    assert sorted(line["number"] for line in lines(tmp_path / "audit")) == sorted([*range(300)] * 2)


@pytest.mark.parametrize("path", ["audit.jsonl", "./x", "logs/audit"])
def test_a_file_that_would_be_wherever_the_server_runs_is_refused(path: str) -> None:
    with pytest.raises(Exception, match=r"QConnect\.audit_file"):
        QConnect(audit_file=path)
