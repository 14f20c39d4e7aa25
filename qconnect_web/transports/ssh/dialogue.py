"""Runs a program on a terminal of its own and carries its questions to whoever can answer them.

ssh asks on its controlling terminal, whatever its input is. So it gets a pseudo-terminal, from a small program that
then becomes ssh, and not by a fork of this process (which would copy the page tables of a large server). The terminal
hangs up when this process ends, however it ends: ssh then ends too, and no connection outlives its server.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress

from pexpect import EOF, TIMEOUT
from pexpect.fdpexpect import fdspawn

from ...errors import Unreachable
from ..login_questions import Answer, Asker, Question
from .options import IDLE_S, is_question, patience, question_of

MAX_HEARD = 8 * 1024
END_S = 2.0
SOMETHING = r"(?s).+"
ON_TERMINAL = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGHUP, signal.SIG_DFL)
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Makes its input its controlling terminal. A server started with nohup would else make ssh deaf to the hang-up."""
PASSED_ON = ("HOME", "USER", "LOGNAME", "PATH", "SHELL", "SSH_AUTH_SOCK", "KRB5CCNAME", "KRB5_CONFIG")


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What a login needs of our environment: no token of Jupyter's, and no SSH_ASKPASS that would ask elsewhere."""
    return {**{name: ours[name] for name in PASSED_ON if name in ours}, "LC_ALL": "C", "TERM": "dumb"}


class Terminal:
    """A running program and the terminal that it believes to have; nothing that is typed there is echoed or kept."""

    def __init__(self, process: asyncio.subprocess.Process, terminal: int) -> None:
        self._process = process
        self._child = fdspawn(terminal, encoding="utf-8", codec_errors="replace", timeout=END_S)

    @classmethod
    async def run(cls, argv: Sequence[str]) -> Terminal:
        """Starts the program; raises Unreachable when there is none of that name."""
        if not shutil.which(argv[0]):
            raise no_program(argv[0])
        ours, its = os.openpty()
        try:
            _stop_echo(its)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-IS", "-c", ON_TERMINAL, *argv),
                stdin=its,
                stdout=its,
                stderr=its,
                env=environment(os.environ),
            )
        except OSError as error:
            os.close(ours)
            raise Unreachable(f"{argv[0]} could not be started ({error.strerror}). Try again later.") from error
        finally:
            os.close(its)
        return cls(process, ours)

    @property
    def over(self) -> bool:
        return self._process.returncode is not None

    async def listen(self, seconds: float) -> str | None:
        """What the program says next; nothing when it is silent for so long, None when it has closed its terminal."""
        heard = await self._child.expect([SOMETHING, EOF, TIMEOUT], timeout=seconds, async_=True)
        return (str(self._child.after), None, "")[heard]

    def answer(self, answer: Answer) -> None:
        """Types a line."""
        with suppress(OSError):  # it ended meanwhile: its last words say why
            self._child.sendline(answer.text)

    async def ended(self) -> None:
        """Waits for the program's end."""
        await self._process.wait()

    async def ends(self, seconds: float) -> bool:
        """Whether the program ends within so many seconds; known as soon as it does."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._process.wait(), seconds)
        return self.over

    async def close(self) -> None:
        """Hangs up, which ends the program; one that goes on for 2 s is ended by force."""
        if self._child.async_pw_transport:
            self._child.async_pw_transport[1].close()  # closes the terminal as well, a moment later
        else:
            self._child.close()
        if not await self.ends(END_S):
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


async def converse(terminal: Terminal, node: str, asker: Asker | None) -> str:
    """Carries questions and answers until the program ends; returns its last words, said since the last answer.

    Without an asker it only listens. Raises Unreachable when a question is not answered. Whoever calls it sets the
    time that it may take.
    """
    heard = ""
    while (said := await terminal.listen(patience(heard) if asker else IDLE_S)) is not None:
        heard = (heard + said)[-MAX_HEARD:]
        if asker and not said and is_question(heard):
            terminal.answer(await _asked(terminal, asker, question_of(node, heard)))
            heard = ""
    return heard


async def _asked(terminal: Terminal, asker: Asker, question: Question) -> Answer:
    """The answer; raises Unreachable when there is none before the program gives up waiting for it."""
    asking, ended = asyncio.ensure_future(asker.ask(question)), asyncio.ensure_future(terminal.ended())
    try:
        await asyncio.wait({asking, ended}, return_when=asyncio.FIRST_COMPLETED)
        answer = asking.result() if asking.done() else None
    finally:
        asking.cancel()
        ended.cancel()
    if answer is None:
        raise unanswered(question.node)
    return answer


def unanswered(node: str) -> Unreachable:
    """The user was asked, and did not answer."""
    return Unreachable(
        f"A question about the login to {node} was not answered, so its display stays out of reach. "
        "Try again to be asked once more.",
        reason="not-answered",
    )


def no_program(name: str) -> Unreachable:
    """There is nothing to connect with."""
    return Unreachable(
        f"The program {name} is not installed on this machine. Ask your administrator to install OpenSSH's client, "
        "or to set QConnect.ssh_command.",
        reason="no-ssh",
    )


def _stop_echo(terminal: int) -> None:
    """What is typed there must not come back as something that the program said."""
    settings = termios.tcgetattr(terminal)
    settings[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
