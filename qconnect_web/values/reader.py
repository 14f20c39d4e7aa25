"""Reads values from JSON that others may have written: each field says once, by a rule, what it can hold.

A field is declared as `Annotated[type, rule]`. A rule takes what JSON holds and returns what the value holds; it raises
ValueError with the words for what it would have taken. None is taken where the type says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, fields
from enum import Enum
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from ..errors import BadRequest

LATEST = 1e11
"""The last moment that is a time, epoch seconds: calendars end with the year 9999, and nobody waits for 5138."""
LARGEST = 1 << 53
"""The largest number that JSON carries exactly."""
SHOWN = 60
T = TypeVar("T")
Rule = Callable[[Any], Any]


def read(kind: type[T], data: object) -> T:
    """The value that a JSON object holds; raises BadRequest, which names the field, for anything else."""
    plain: Any = kind
    hints, needed = _declared(plain)
    if not isinstance(data, dict):
        raise BadRequest(f"A {kind.__name__} is a JSON object, not {shown(data)}.")
    if extra := sorted(set(data) - set(hints)):
        raise BadRequest(f"A {kind.__name__} has no {shown(extra[0])}.")
    if missing := sorted(needed - set(data)):
        raise BadRequest(f"A {kind.__name__} needs {missing[0]}, which is missing.")
    return kind(**{name: _field(kind, name, hints[name], value) for name, value in data.items()})


def text(most: int, pattern: re.Pattern[str] | None = None) -> Rule:
    """Text of at most so many characters, all of the pattern; never half a character of UTF-16."""

    def rule(value: Any) -> str:
        if not isinstance(value, str) or len(value) > most or not (value.isascii() or _encodes(value)):
            raise ValueError(f"text of at most {most} characters")
        if pattern and not pattern.fullmatch(value):
            raise ValueError(f"text like {pattern.pattern}")
        return value

    return rule


def words(most: int, longest: int) -> Rule:
    """At most so many texts, none longer than `longest` characters."""
    word = text(longest)

    def rule(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or len(value) > most:
            raise ValueError(f"a list of at most {most} texts")
        return tuple(word(item) for item in value)

    return rule


def answers(most: int, longest: int) -> Rule:
    """At most so many answers by the names of their questions: texts that are not longer, numbers, yes and no."""
    name, told = text(64), text(longest)

    def rule(value: Any) -> dict[str, str | int | float | bool]:
        if not isinstance(value, dict) or len(value) > most:
            raise ValueError(f"an object of at most {most} texts, numbers and booleans")
        return {name(key): told(item) if isinstance(item, str) else _number(item) for key, item in value.items()}

    return rule


def _number(value: Any) -> int | float | bool:
    """A number that is one, or a boolean."""
    if isinstance(value, int | float) and -LARGEST <= value <= LARGEST:
        return value
    raise ValueError(f"texts, booleans and numbers up to {LARGEST}")


def whole(least: int, most: int) -> Rule:
    """A whole number from `least` to `most`."""

    def rule(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return rule


def moment(value: Any) -> float:
    """A time in epoch seconds."""
    if type(value) not in (int, float) or not 0 <= value <= LATEST:
        raise ValueError("a time in epoch seconds")
    return float(value)


def measured(parse: Callable[[str], object]) -> Rule:
    """Text that `parse` (units) can read; it raises BadRequest for others."""

    def rule(value: Any) -> str:
        parse(text(40)(value))
        return str(value)

    return rule


def choice(kind: type[Enum]) -> Rule:
    """One of an enumeration's values."""

    def rule(value: Any) -> Enum:
        if not isinstance(value, str) or value not in {item.value for item in kind}:
            raise ValueError(f"one of {', '.join(str(item.value) for item in kind)}")
        return kind(value)

    return rule


def shown(value: object) -> str:
    """A value as a message repeats it: short, in one line, whatever it is."""
    if isinstance(value, str):
        return repr(value) if len(value) <= SHOWN else f"{value[:SHOWN]!r}…"
    if isinstance(value, list | dict):  # may be deeper than anybody can print
        return "a list" if isinstance(value, list) else "an object"
    return repr(value)[:SHOWN]


def _field(kind: type[Any], name: str, hint: Any, value: object) -> Any:
    """One field's value: by its rule, or read as the value that its type is."""
    if get_origin(hint) is not Annotated:
        return read(hint, value)
    base, rule = get_args(hint)
    if value is None and type(None) in get_args(base):
        return None
    try:
        return rule(value)
    except ValueError as error:
        raise BadRequest(f"The {name} of a {kind.__name__} must be {error}, not {shown(value)}.") from None


@cache
def _declared(kind: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """The fields of a value with their rules, and the names of those that have no default."""
    plain = (field for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING)
    return get_type_hints(kind, include_extras=True), frozenset(field.name for field in plain)


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
