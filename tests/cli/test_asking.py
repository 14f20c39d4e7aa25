"""Questions of a login reach the person at the terminal, and the answer reaches nobody else's eyes."""

from __future__ import annotations

import sys

import pexpect
import pytest

from tests.cli.command_line import plain
from tests.support.servers import REPOSITORY

pytestmark = pytest.mark.unit
PROGRAM = """
import asyncio, sys
from qconnect_web.cli.prompts import TtyAsker
from qconnect_web.cli.screen import Screen
from qconnect_web.transports.login_questions import Question
question = Question("n1", sys.argv[1], confirm=sys.argv[2] == "yes")
try:
    answer = asyncio.run(TtyAsker(Screen()).ask(question))
    print(f"GOT {answer.text[::-1] if answer else None}")
except KeyboardInterrupt:
    print("LEFT")
import termios
print("ECHO", bool(termios.tcgetattr(0)[3] & termios.ECHO))
"""


def asked(text: str, confirm: str) -> pexpect.spawn[str]:
    argv = ["-c", PROGRAM, text, confirm]
    return pexpect.spawn(sys.executable, argv, cwd=str(REPOSITORY), encoding="utf-8", timeout=20)


def test_a_password_is_asked_for_and_not_shown() -> None:
    child = asked("alice@n1's password:", "no")
    child.expect_exact("n1 asks:")
    child.expect_exact("password: ")
    child.sendline("secret-word")
    child.expect_exact("GOT drow-terces")
    assert "secret-word" not in plain(child.before)
    child.expect_exact("ECHO True")


def test_a_yes_is_shown() -> None:
    child = asked("The key is SHA256:abc. Continue?", "yes")
    child.expect_exact("Continue? ")
    child.sendline("yes")
    child.expect_exact("GOT sey")
    assert "yes" in plain(child.before)


@pytest.mark.parametrize(("key", "said"), [("\x04", "GOT None"), ("\x03", "LEFT")])
def test_who_does_not_want_to_answer_gets_the_terminal_back(key: str, said: str) -> None:
    child = asked("password:", "no")
    child.expect_exact("password: ")
    child.send(key)
    child.expect_exact(said)
    child.expect_exact("ECHO True")


def test_a_question_cannot_drive_the_terminal() -> None:
    child = asked("\x1b]0;owned\x07password:", "no")
    child.expect_exact("password: ")
    assert "\x1b]0" not in str(child.before)
    assert "\x07" not in str(child.before)
    child.sendline("x")
    child.expect_exact("GOT x")
