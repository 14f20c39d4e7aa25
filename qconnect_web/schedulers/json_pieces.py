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
TOKEN = re.compile(rf'{STRING}|[^\s"{{}}\[\],:]+', re.DOTALL)
ESCAPE = re.compile(r'\\(["\\/bfnrt]|u[0-9A-Fa-f]{4})|\\')
SCALAR = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")


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

    They stand on lines that begin alike, or all on one. An object that cannot be read lasts until the next one; its
    bare words and backslashes are put right where its strings end as they should.
    """
    first = re.search(rf"{opening}(\s*){name}\{{", text)
    if not first:
        return
    before = re.escape(first[1]) if "\n" in first[1] else r"[\[{,]\s*"
    body = text[first.start() :]
    heads = list(re.finditer(rf"{before}{name}\{{", body))
    ends = [*(head.start() for head in heads[1:]), len(body)]
    for head, end in zip(heads, ends, strict=False):
        part = body[head.end() - 1 : end]  # alone: an error in a long text takes as long as the text before it
        held = _object(part, decoder) or _object(TOKEN.sub(_mended, part), decoder)
        yield Piece(head[1], held, part, end == len(body))


def _object(text: str, decoder: json.JSONDecoder) -> dict[str, Any] | None:
    """The object that the text begins with, or None."""
    try:
        held, end = decoder.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return held if isinstance(held, dict) and CLOSED.match(text, end) else None


def _mended(token: re.Match[str]) -> str:
    """A string without escapes that JSON does not know, or a bare word as a string unless it is a JSON scalar."""
    text = token[0]
    if text[0] == '"':
        return ESCAPE.sub(lambda found: found[0] if found[1] else "\\\\", text) if "\\" in text else text
    return text if SCALAR.fullmatch(text) else json.dumps(text)


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
