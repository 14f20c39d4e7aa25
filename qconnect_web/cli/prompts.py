"""Brings the questions of a login (a password, a one-time code, a host key) to the user's own terminal."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager

from ..plain_text import shown as plain
from ..transports.login_questions import MAX_ANSWER, Answer, Question
from .screen import Screen

TTY = "/dev/tty"


class TtyAsker:
    """Asks on the controlling terminal, whatever stdin and stdout are; without one it declines."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    async def ask(self, question: Question) -> Answer | None:
        """The answer; None when there is no terminal, or the user ends it with Ctrl-D or an empty `yes or no`."""
        try:
            terminal = os.open(TTY, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            self._screen.note(f"{question.node} asks:")
            with echo(terminal, shown=question.confirm):  # before anything invites to type
                os.write(terminal, f"{plain(question.text)} ".encode(sys.stdout.encoding or "ascii", "replace"))
                line = await read_line(terminal)
            if not question.confirm:
                os.write(terminal, b"\n")
        finally:
            os.close(terminal)
        return Answer(line) if line else None


@contextmanager
def echo(terminal: int, *, shown: bool) -> Iterator[None]:
    """What is typed is shown, or not, for as long as this is open; whatever happens, the terminal is put back."""
    before = termios.tcgetattr(terminal)
    changed = termios.tcgetattr(terminal)
    changed[3] = changed[3] | termios.ECHO if shown else changed[3] & ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSAFLUSH, changed)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


async def read_line(terminal: int) -> str:
    """One line without its end; no thread waits for it, so that Ctrl-C ends the wait at once."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[bytes] = loop.create_future()

    def take() -> None:
        if not typed.done():
            typed.set_result(os.read(terminal, MAX_ANSWER + 2))  # a terminal gives whole lines

    loop.add_reader(terminal, take)
    try:
        return (await typed).decode(errors="replace").rstrip("\r\n")
    finally:
        loop.remove_reader(terminal)
