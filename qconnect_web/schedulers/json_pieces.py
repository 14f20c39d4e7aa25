"""The objects in a batch system's JSON, each read alone: a text that is none as a whole still tells of most jobs.

OpenPBS writes what strtod() takes (`inf`, `.5`, `00`) as bare numbers, backslashes as they are and, in older releases,
quotation marks of exported shell functions too: one such variable spoils the text for whoever reads it in one go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

BEGINS = re.compile(r"^\s*\{", re.MULTILINE)
BETWEEN = re.compile(r"(?:\s*[A-Za-z][^\n]*\n)*\s*")
"""What may stand between two documents: nothing, or lines of words ("CLUSTER: c1")."""
CLOSED = re.compile(r"\s*(?:[,}\]]|\Z)")
STRING = r'"((?:[^"\\]|\\.)*)"'


@dataclass(frozen=True)
class Piece:
    """One object of a text: its name ("" in a list), what it holds (None where that is no JSON), its text.

    Behind the `last` one there is the rest of the text, which may have been cut off.
    """

    name: str
    held: dict[str, Any] | None
    text: str
    last: bool


def documents(text: str, decoder: json.JSONDecoder) -> list[Any]:
    """The JSON values of a text, one behind another; raises ValueError where there is none, or something else."""
    first = BEGINS.search(text)
    found, at = [], first.end() - 1 if first else 0
    while text.startswith("{", at):
        try:
            value, end = decoder.raw_decode(text, at)
        except RecursionError:
            raise ValueError("too deep") from None
        found.append(value)
        between = BETWEEN.match(text, end)
        at = between.end() if between else end
    if not found or at < len(text):
        raise ValueError(f"something else at {at}")
    return found


def pieces(text: str, opening: str, name: str, decoder: json.JSONDecoder) -> Iterator[Piece]:
    """The objects behind `opening` (a pattern), each of which begins with `name` (a pattern with a group) and a brace.

    They stand on lines that begin alike, or all on one. An object that cannot be read lasts until the next one.
    """
    first = re.search(rf"{opening}(\s*){name}\{{", text)
    if not first:
        return
    before = re.escape(first[1]) if "\n" in first[1] else r"[\[{,]\s*"
    heads = list(re.finditer(rf"{before}{name}\{{", text[first.start() :]))
    body, at = text[first.start() :], 0
    ends = [*(head.start() for head in heads[1:]), len(body)]
    for number, head in enumerate(heads):
        if head.start() < at:  # it stands within a value
            continue
        held, at = _object(body, head.end() - 1, decoder)
        if held is None or (head[1] and at > ends[number]):  # one that holds the next one has not ended where it should
            held, at = None, ends[number]
        yield Piece(head[1], held, body[head.end() - 1 : at], at == len(body))


def _object(text: str, begin: int, decoder: json.JSONDecoder) -> tuple[dict[str, Any] | None, int]:
    """The object that begins there and where it ends, or None."""
    try:
        held, end = decoder.raw_decode(text, begin)
    except (ValueError, RecursionError):
        return None, begin
    return (held, end) if isinstance(held, dict) and CLOSED.match(text, end) else (None, begin)


def values(text: str, names: Iterable[str], behind: str) -> dict[str, str]:
    """The named values of an object that cannot be read, as texts.

    Its own stand on lines that begin as its first one does. Where all is one line, what stands before the member
    `behind`, in which anything may stand, is believed first, then the last that stands after it.
    """
    line = re.match(r"\{(\s*)", text)
    before = re.escape(line[1]) if line and "\n" in line[1] else ""
    split = text.find(f'"{behind}"')
    split = len(text) if split < 0 else split
    found: dict[str, str] = {}
    for name in names:
        pattern = re.compile(rf'{before}"{name}"\s*:\s*(?:{STRING}|([^\s",{{}}\[\]]+))', re.DOTALL)
        told = pattern.search(text, 0, split) or next(iter(reversed(list(pattern.finditer(text, split)))), None)
        if told:
            found[name] = told[2] or _unescaped(told[1] or "")
    return found


def _unescaped(text: str) -> str:
    """A string's value; as it is where its backslashes mean nothing in JSON."""
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text
