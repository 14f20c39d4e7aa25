"""What passes between a command and the server."""

from __future__ import annotations

from typing import Any

Request = dict[str, Any]


class Reply:
    """Collects what one command prints; each operand's error adds a line and sets the exit code."""

    def __init__(self, program: str) -> None:
        self.program, self.rc, self.out, self.err = program, 0, "", ""

    def error(self, code: int, text: str) -> None:
        self.rc = code
        self.err += f"{self.program}: {text}\n"
