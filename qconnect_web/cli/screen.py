"""Where the command writes: fitted to the terminal, or plain where there is none.

Results go to stdout, everything else to stderr, so that a pipe carries results only. Nothing that a session's name or a
node's log holds reaches the terminal as a character that acts.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import unicodedata
from typing import TextIO

from ..plain_text import shown

PLAIN = str.maketrans({"“": '"', "”": '"', "’": "'", "…": "..", "–": "-", "→": "->", "─": "-"})
"""What we write beyond ASCII, for terminals that have no more."""
REMIND_S = 20.0
"""Seconds between two reminders where no line can be written over (as in qconnect 1.8.1)."""
COLOURS = {"READY": "32", "FAILED": "31", "UNREACHABLE": "31", "ENDED": "2"}
COLOURS |= {"ok": "32", "warning": "33", "problem": "31"}
"""SGR codes of states and findings; the others stay as they are."""


def width_of(text: str) -> int:
    """The columns that a text takes: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def cut(text: str, width: int) -> str:
    """The text in at most so many columns, with `…` where something is left out."""
    if width_of(text) <= width:
        return text
    while text and width_of(text) > width - 1:
        text = text[:-1]
    return f"{text}…"[: max(width, 0)]


class Painted(str):
    """Lines in which colours are ours; all else in them was made plain before."""


class Screen:
    """stdout and stderr as this command may use them."""

    def __init__(self) -> None:
        self.tty = sys.stdout.isatty() and sys.stdin.isatty()
        self.dumb = os.environ.get("TERM", "dumb") in ("", "dumb", "unknown")
        self.nameless = not os.environ.get("TERM")
        self.fancy = _encodes(sys.stdout)
        self._colour = sys.stdout.isatty() and not self.dumb and not os.environ.get("NO_COLOR")
        self._line = False
        self._told: tuple[str, float] = ("", float("-inf"))

    @property
    def width(self) -> int | None:
        """The columns of the terminal; None where the output is no terminal, and so has no width."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    def print(self, text: str) -> None:
        """A result, on stdout."""
        self.clear()
        self._write(sys.stdout, f"{_plain(text)}\n")

    def exact(self, text: str) -> None:
        """A result of which every character counts: as it is, where no terminal shows it."""
        self.print(text if sys.stdout.isatty() else Painted(text))

    def note(self, text: str) -> None:
        """A word to the user, on stderr."""
        self.clear()
        self._write(sys.stderr, f"{_plain(text)}\n")

    def progress(self, text: str, elapsed: float) -> None:
        """How far it is: one line that is written over, or, where that cannot be, a line when something changed."""
        text = shown(text)
        if sys.stderr.isatty() and not self.dumb:
            columns = max(shutil.get_terminal_size().columns - 1, 10)
            passed = f" ({clock(elapsed)})"
            self._write(sys.stderr, f"\r{cut(text, columns - len(passed))}{passed}\x1b[K")
            self._line = True
        elif text != self._told[0] or time.monotonic() - self._told[1] >= REMIND_S:
            self._told = (text, time.monotonic())
            self._write(sys.stderr, f"{text} ({clock(elapsed)})\n")

    def state(self, text: str, state: str) -> str:
        """The text in the colour of a state, where there are colours."""
        code = COLOURS.get(state)
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and code else text

    def clear(self) -> None:
        """Takes the line away that says how far it is; what comes next begins on a clean one."""
        if self._line:
            self._write(sys.stderr, "\r\x1b[K")
            self._line = False

    def _write(self, stream: TextIO, text: str) -> None:
        stream.write(text if self.fancy else text.translate(PLAIN))
        stream.flush()


def _plain(text: str) -> str:
    return text if isinstance(text, Painted) else shown(text)


def clock(seconds: float) -> str:
    """A time as people read it: 42 s, 3:05, 1:00:00."""
    if seconds < 60:
        return f"{int(seconds)} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _encodes(stream: TextIO) -> bool:
    """Whether the terminal takes all of Unicode; from here on no character can make writing fail."""
    plain = os.environ.get("LC_ALL") in ("C", "POSIX")  # Python itself writes UTF-8 there (PEP 540)
    for each in (sys.stdout, sys.stderr):
        if reconfigure := getattr(each, "reconfigure", None):
            reconfigure(errors="replace", **({"encoding": "ascii"} if plain else {}))
    return (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "") == "utf8"
