"""What is said to ssh, and what its words mean."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qconnect_web.config import QConnect
from qconnect_web.errors import BadRequest, IdentityMismatch, Unreachable
from qconnect_web.site import ssh_settings
from qconnect_web.transports.login_questions import Answer
from qconnect_web.transports.ssh.options import (
    FIXED,
    IDLE_S,
    QUIET_S,
    UNSURE_S,
    SshSettings,
    complaint,
    failure,
    is_question,
    master_argv,
    master_pid,
    may_ask,
    patience,
    question_of,
    readable,
    request_argv,
)

pytestmark = pytest.mark.unit
CONTROL = Path("/tmp/x/m0")


def site_says(**changed: Any) -> SshSettings:
    """What a site says of ssh that sets nothing but this."""
    return replace(ssh_settings(QConnect()), **changed)


def test_our_options_come_before_the_sites_so_that_they_count() -> None:
    site = site_says(options=("ForwardAgent=yes", "StrictHostKeyChecking=no", "Port=2222"))
    argv = master_argv(site, "node1", CONTROL, batch=True)
    options = [argv[index + 1] for index, word in enumerate(argv) if word == "-o"]
    first = {}
    for option in options:
        first.setdefault(*option.split("=", 1))
    assert first["ForwardAgent"] == "no"
    assert first["StrictHostKeyChecking"] == "yes"
    assert first["BatchMode"] == "yes"
    assert first["Port"] == "2222"
    assert set(FIXED) <= set(options)
    assert argv[-2:] == ["--", "node1"]


@pytest.mark.parametrize(
    ("batch", "ask", "checking"), [(True, True, "yes"), (False, True, "ask"), (False, False, "yes")]
)
def test_a_host_key_is_asked_about_only_where_the_site_lets_it(batch: bool, ask: bool, checking: str) -> None:
    argv = master_argv(site_says(ask_unknown_hosts=ask), "node1", CONTROL, batch=batch)
    assert f"StrictHostKeyChecking={checking}" in argv


def test_requests_to_a_master_read_no_configuration() -> None:
    argv = request_argv(site_says(), "node1", CONTROL, "forward", "/a:/b")
    assert argv == ["ssh", "-F", "/dev/null", "-S", "/tmp/x/m0", "-O", "forward", "-L", "/a:/b", "--", "node1"]


def test_the_masters_process_is_read_from_its_answer() -> None:
    assert master_pid("Master running (pid=4711)\r\n") == 4711
    assert master_pid("Control socket connect(/x): No such file") is None


# The literal words of OpenSSH 9.2 (client), after what a server's banner may put before them.
CHANGED = (
    "@@@@@@@@@@@@@@@@@@@@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n"
    "IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r\nHost key verification failed.\r\n"
)


@pytest.mark.parametrize(
    ("said", "kind", "reason"),
    [
        (CHANGED, IdentityMismatch, "host-key-changed"),
        ("No ED25519 host key is known for [127.0.0.1]:22 and you have requested strict checking.\r\n"
         "Host key verification failed.\r\n", Unreachable, "host-key-unknown"),
        ("Host key verification failed.\r\n", Unreachable, "host-key-unknown"),
        ("alice@node1: Permission denied (publickey,password).\r\n", Unreachable, "login-refused"),
        ("Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\r\n", Unreachable,
         "login-refused"),
        ("ssh: Could not resolve hostname node1: Name or service not known\r\n", Unreachable, "unreachable"),
        ("ssh: connect to host node1 port 22: Connection timed out\r\n", Unreachable, "timeout"),
        ("ssh: connect to host node1 port 22: Connection refused\r\n", Unreachable, "unreachable"),
        ("ssh: connect to host node1 port 22: No route to host\r\n", Unreachable, "unreachable"),
        ("kex_exchange_identification: Connection closed by remote host\r\nConnection closed by 10.0.0.1 port 22\r\n",
         Unreachable, "busy"),
        ("Bad configuration option: foo\r\n", Unreachable, "ssh-failed"),
        ("", Unreachable, "ssh-failed"),
    ],
)  # fmt: skip
def test_each_failure_has_its_word(said: str, kind: type[Exception], reason: str) -> None:
    error = failure("node1", said)
    assert type(error) is kind
    assert error.reason == reason
    assert "node1" in error.message
    assert error.message.endswith(".")


def test_a_changed_host_key_is_never_asked_about() -> None:
    asking = site_says(ask_unknown_hosts=True)
    assert not may_ask(failure("node1", CHANGED), asking)
    assert may_ask(failure("node1", "Host key verification failed."), asking)
    assert not may_ask(failure("node1", "Host key verification failed."), site_says())
    assert may_ask(failure("node1", "Permission denied (password)."), site_says())
    assert not may_ask(failure("node1", "Connection refused"), asking)


@pytest.mark.parametrize(
    ("heard", "confirm", "wait"),
    [
        ("root@127.0.0.1's password: ", False, QUIET_S),
        ("Enter passphrase for key '/home/a/.ssh/id': ", False, QUIET_S),
        ("(root@node) Verification code: ", False, QUIET_S),
        ("1. Push\r\n2. Phone\r\n\r\nPasscode or option (1-2): ", False, QUIET_S),
        ("ED25519 key fingerprint is SHA256:x.\r\nAre you sure you want to continue connecting "
         "(yes/no/[fingerprint])? ", True, QUIET_S),
        ("Please type 'yes', 'no' or the fingerprint: ", True, QUIET_S),
        ("Say the word", False, UNSURE_S),
    ],
)  # fmt: skip
def test_an_unfinished_line_is_a_question(heard: str, confirm: bool, wait: float) -> None:
    assert is_question(heard)
    assert patience(heard) == wait
    found = question_of("node1", heard)
    assert found.confirm is confirm
    assert found.text == heard.replace("\r", "").strip()


@pytest.mark.parametrize("heard", ["", "\r\n", "Authorized use only:\r\n", "a\n  \r\n", "x\r\n\x1b[0m"])
def test_a_finished_line_is_none(heard: str) -> None:
    assert not is_question(heard)
    assert patience(heard) == IDLE_S


@given(st.text(max_size=200))
@settings(max_examples=2000, deadline=None)
def test_a_strangers_text_cannot_act_on_a_terminal_or_turn_the_page_around(text: str) -> None:
    shown = question_of("node1", text).text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f]", shown)
    assert len(shown) <= 1500
    assert len(failure("node1", text).message) < 700
    patience(text)


def test_escapes_are_taken_out_whole() -> None:
    assert readable("\x1b[31mred\x1b[0m \x1b]0;title\x07code: ") == "red code: "


@pytest.mark.parametrize("text", ["a\nb", "\x03", "\x04", "x\r", "\x7f", "\x00", "y" * 1025])
def test_what_a_terminal_would_act_upon_is_no_answer(text: str) -> None:
    with pytest.raises(BadRequest):
        Answer(text)


def test_an_answer_never_shows_itself() -> None:
    assert "geheim" not in repr(Answer("geheim ✓ 漢字"))


def test_a_node_that_forbids_forwarding_is_told_from_a_display_that_is_gone() -> None:
    assert complaint("node1", "") is None
    prohibited = complaint("node1", "channel 2: open failed: administratively prohibited: open failed\r\n")
    assert prohibited
    assert "AllowTcpForwarding" in prohibited
    either = complaint("node1", "channel 3: open failed: connect failed: open failed\r\n")
    assert either
    assert "AllowStreamLocalForwarding" in either
    gone = complaint("node1", "channel 3: open failed: connect failed: Connection refused\r\n")
    assert gone
    assert "Look at the session's log" in gone
