"""The app's own questions: what an answer may be, and how it is handed to the program.

An answer is handed on as the shell variable `field_NAME` of `setup`, and in the words of `command` in the place of
`{NAME}`; a word stays one word, and no shell reads it (job_script quotes them all).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..errors import BadRequest
from ..values.app import Field
from .checks import GPU_TYPE, shown

YES, NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")
MAX_TEXT = 1000
MAX_PATH = 4096
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+/-]{0,99}")
PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
INTERPRETERS = {
    *("sh", "bash", "dash", "ksh", "zsh", "csh", "tcsh", "fish", "su", "ssh"),
    *("perl", "python", "python3", "ruby"),
}
Answer = str | int | float | bool


def check_answer(field: Field, value: Any) -> Answer | None:
    """The answer as it is kept, None for none; raises BadRequest."""
    if value is None or (value == "" and field.kind != "text"):
        value = None
    found = None if value is None else KINDS[field.kind](field, value)
    if field.required and found in (None, ""):
        raise BadRequest(f"{field.title} is needed. Fill it in.")
    return found


def _line(field: Field, value: Any, most: int) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise BadRequest(f"{field.title} must be text of at most {most} characters, not {shown(value)}.")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value):
        raise BadRequest(f"{field.title} holds control characters. Write it in one line of plain text.")
    return value


def _text(field: Field, value: Any) -> str:
    return _line(field, value, MAX_TEXT)


def _path(field: Field, value: Any) -> str:
    """A path in full: what begins with `~/` lies in the home folder, which the nodes see as well."""
    path = _line(field, value, MAX_PATH)
    if path == "~" or path.startswith("~/"):
        path = str(Path.home() / path[2:])
    if not path.startswith("/"):
        raise BadRequest(f"{field.title} must be a path in full, like ~/results/a.vtk, not {shown(value)}.")
    return path


def _number(field: Field, value: Any) -> int | float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise BadRequest(f"{field.title} must be a number, not {shown(value)}.")
    if abs(value) > 1 << 53:
        raise BadRequest(f"{field.title} is too large a number.")
    if field.min is not None and value < field.min:
        raise BadRequest(f"{field.title} cannot be {value}. Choose {field.min} or more.")
    if field.max is not None and value > field.max:
        raise BadRequest(f"{field.title} cannot be {value}. Choose {field.max} or less.")
    return int(value) if value == int(value) else value


def _choice(field: Field, value: Any) -> str:
    if value not in field.choices:
        raise BadRequest(f"{field.title} cannot be {shown(value)}. Choose one of: {', '.join(field.choices)[:200]}.")
    return str(value)


def _checkbox(field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadRequest(f"{field.title} is true or false, not {shown(value)}.")
    return value


def _word(pattern: re.Pattern[str], example: str) -> Callable[[Field, Any], str]:
    def check(field: Field, value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise BadRequest(f"{field.title} cannot be {shown(value)}. Write a word like {example}.")
        return value

    return check


KINDS: dict[str, Callable[[Field, Any], Answer]] = {
    "text": _text,
    "number": _number,
    "choice": _choice,
    "checkbox": _checkbox,
    "path": _path,
    "module": _word(VERSION, "5.11"),
    "gpu": _word(re.compile(GPU_TYPE), "a100"),
}


def from_text(field: Field, text: str) -> Answer:
    """An answer that was typed in a terminal, for `check_answer`; raises BadRequest."""
    if field.kind == "checkbox":
        if text.lower() not in (*YES, *NO):
            raise BadRequest(f"{field.title} is yes or no, not {shown(text)}.")
        return text.lower() in YES
    if field.kind == "number":
        try:
            return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else float(text)
        except ValueError:
            raise BadRequest(f"{field.title} must be a number, not {shown(text)}.") from None
    return text


def handed(fields: Sequence[Field], answers: Mapping[str, Any]) -> dict[str, str]:
    """Each field's answer as a program gets it; empty where there is none."""
    return {field.name: _handed(field, answers.get(field.name)) for field in fields}


def _handed(field: Field, answer: Answer | None) -> str:
    if isinstance(answer, bool):
        return field.value if answer else ""
    return "" if answer is None else str(answer)


def worded(command: Sequence[str], texts: Mapping[str, str]) -> tuple[str, ...]:
    """The command with the texts in their places; a word that is nothing but an empty answer is left out."""
    words = []
    for word in command:
        full = PLACE.sub(lambda found: texts.get(found[1], found[0]), word)
        if full or not (alone := PLACE.fullmatch(word)) or alone[1] not in texts:
            words.append(full)
    return tuple(words)


def read_by_a_shell(command: Sequence[str]) -> set[str]:
    """The names of fields that stand in a word that a program would read as a script: `bash -c 'tool {file}'`."""
    if not any(Path(word).name in INTERPRETERS for word in command):
        return set()
    scripts = [word for before, word in pairwise(command) if re.fullmatch(r"-[a-z]*[ce]", before)]
    return {name for word in scripts for name in PLACE.findall(word)}
