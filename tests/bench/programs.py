"""The benchmark's own programs, in C so that they cost little beside what they measure: built, started, asked.

Why not Python, or a ready load generator: fifty sessions are 1 500 frames and 6 250 inputs a second, four times each
on two cores; in Python the load would take more of the machine than the proxies. Ready ones (wrk, k6, websocat) speak
HTTP, or websockets without the time in each frame.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from tests.support.servers import REPOSITORY

SOURCES = Path(__file__).parent / "wire"
BUILT = REPOSITORY / "build" / "bench"
LIBRARIES = {"load": (), "floor": (), "upstream": ("-lssl", "-lcrypto")}
TIMEOUT_S = 60
T = TypeVar("T")


class LoadFailed(Exception):
    """The load could not be carried through this proxy; the message says what happened."""


def build() -> None:
    """Compiles the programs; a file that is newer than its sources is taken as it is."""
    BUILT.mkdir(parents=True, exist_ok=True)
    newest = max(path.stat().st_mtime for path in SOURCES.iterdir())
    for name, libraries in LIBRARIES.items():
        made = BUILT / name
        if not made.exists() or made.stat().st_mtime < newest:
            flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-pthread"]
            subprocess.run(["cc", *flags, "-o", made, SOURCES / f"{name}.c", *libraries], check=True)


@contextmanager
def listening(program: str, *words: str | Path) -> Iterator[tuple[int, int]]:
    """A program of ours that listens, and says at which port: gives that port and its process number.

    `upstream` is a display (`tcp`, `unix PATH`, `tls CERTIFICATE KEY CLIENT_CERTIFICATE`), `floor PATH` the least that
    can be between it and a browser.
    """
    process = subprocess.Popen([BUILT / program, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), process.pid
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


@dataclass
class Load:
    """One run of the load program: `begin`, then `answer` or `more`."""

    process: subprocess.Popen[str]

    @property
    def out(self) -> IO[str]:
        assert self.process.stdout
        return self.process.stdout

    def begin(self) -> None:
        """Returns when the measured time begins."""
        line = self.out.readline()
        if line != "start\n":
            raise LoadFailed(json.loads(line)["error"] if line.startswith("{") else f"it said {line!r}")

    def answer(self) -> dict[str, Any]:
        """What was measured; its connections are still open."""
        answer: dict[str, Any] = json.loads(self.out.readline() or '{"error": "it ended without an answer"}')
        if "error" in answer:
            raise LoadFailed(answer["error"])
        return answer

    def more(self, connections: int) -> None:
        """Returns when so many more idle connections are open."""
        assert self.process.stdin
        self.process.stdin.write(f"{connections}\n")
        self.process.stdin.flush()
        self.answer()


@contextmanager
def load(target: Path, *words: str | float) -> Iterator[Load]:
    """Starts the load program; it lets go of its connections when this is left."""
    argv = [str(BUILT / "load"), str(target), *map(str, words)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Load(process)
    finally:
        assert process.stdin
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        process.stdout.close()


def carried(target: Path, words: tuple[str | float, ...], look: Callable[[], T]) -> tuple[dict[str, Any], T, T]:
    """One run of the load: its answer, and what `look` saw when the measured time began and when it ended."""
    with load(target, *words) as running:
        running.begin()
        before = look()
        answer = running.answer()
        return answer, before, look()
