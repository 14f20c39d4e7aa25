"""What a login asks of the user before it goes on, and how the question finds the person who can answer.

Whoever opens a way to a node gets an `Asker` and knows no more of it; each front door has one of its own: the pages
show what `Questions` holds, the terminal asks on its tty. An answer is a secret: it is handed over in an `Answer`,
which never shows itself, and is kept nowhere.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import BadRequest

MAX_ANSWER = 1024
"""Characters; a terminal takes lines of 4095 bytes at most."""


@dataclass(frozen=True)
class Question:
    """One question about the way to a node: `text` in the asking program's words, several lines perhaps.

    `confirm` questions are answered by `yes` or `no`; the answer to any other is typed and not shown.
    """

    node: str
    text: str
    confirm: bool = False
    key: str = field(default_factory=lambda: secrets.token_hex(8))

    def to_json(self) -> dict[str, str | bool]:
        return {"key": self.key, "node": self.node, "text": self.text, "confirm": self.confirm}


@dataclass(frozen=True)
class Answer:
    """What the user typed; one line, without its end. Raises BadRequest for what no line holds."""

    text: str = field(repr=False)

    def __post_init__(self) -> None:
        # A terminal would act upon control characters: Ctrl-C in a password must not end the program that asks.
        if len(self.text) > MAX_ANSWER or any(ord(character) < 32 or character == "\x7f" for character in self.text):
            raise BadRequest("An answer is one line of at most 1024 characters, without control characters.")


class Asker(Protocol):
    """Brings a question to the user."""

    async def ask(self, question: Question) -> Answer | None:
        """The answer, or None when the user does not want to give one; cancelled when it is no longer of use."""


class Questions:
    """The questions that wait for a page to show them and for its user to answer; at most one per node."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Question, asyncio.Future[Answer | None]]] = {}
        self.changed = asyncio.Event()

    async def ask(self, question: Question) -> Answer | None:
        """Waits for somebody to answer; who asks decides for how long."""
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._open[question.node] = question, answer
        self._tell()
        try:
            return await answer
        finally:
            if self._open.get(question.node) == (question, answer):
                del self._open[question.node]
            self._tell()

    def pending(self, node: str | None) -> Question | None:
        """What is asked about the way to this node now."""
        found = self._open.get(node or "")
        return found[0] if found else None

    def answer(self, key: str, answer: Answer | None) -> bool:
        """Gives the answer to a question (None: it was declined); False when the question is no longer open."""
        for question, waiting in self._open.values():
            if question.key == key and not waiting.done():
                waiting.set_result(answer)
                return True
        return False

    def _tell(self) -> None:
        """Wakes everybody who waits for `changed`."""
        self.changed.set()
        self.changed = asyncio.Event()
