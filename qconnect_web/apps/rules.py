"""What one answer of a launch form means for others: `when:` of an app file, carried out.

The browser carries out the same rules to show what they mean (`core/rules`), and `tests/cases/rules.json` holds both to
one table; here they are enforced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadRequest
from .checks import MEASURES

BOUNDS = (("min", max), ("max", min))
"""Of two bounds the tighter one holds."""
SAID = {"set": True, "not set": False, "left out": None}


@dataclass
class Outcome:
    """What the rules make of the answers: `values` with what is set in them and without what is hidden.

    `limits` are `{"min": …, "max": …}` by field, `reasons` the conditions by which a field is fixed, hidden or limited.
    """

    values: dict[str, Any]
    hidden: list[str] = field(default_factory=list)
    fixed: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, dict[str, Any]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


def carry_out(rules: Iterable[Mapping[str, Any]], values: Mapping[str, Any], unasked: Mapping[str, Any]) -> Outcome:
    """The rules one after the other, each on what those before it left; `unasked` is what hidden fields hold."""
    found = Outcome(dict(values))
    for rule in rules:
        if all(holds(name, wanted, found.values.get(name)) for name, wanted in rule["if"].items()):
            _carry_out(rule, found, unasked)
    return found


def _carry_out(rule: Mapping[str, Any], found: Outcome, unasked: Mapping[str, Any]) -> None:
    named = [*rule.get("hide", ()), *rule.get("set", {}), *rule.get("min", {}), *rule.get("max", {})]
    found.reasons.update(dict.fromkeys(named, condition(rule)))
    found.fixed.update(rule.get("set", {}))
    found.values.update(rule.get("set", {}))
    for name in rule.get("hide", ()):
        found.values[name] = unasked.get(name)
        found.hidden += [] if name in found.hidden else [name]
    for bound, tighter in BOUNDS:
        for name, limit in rule.get(bound, {}).items():
            known = found.limits.setdefault(name, {})
            both = [value for value in (known.get(bound), limit) if value is not None]
            known[bound] = tighter(both, key=lambda value: amount(name, value) or 0)


def holds(name: str, wanted: Any, value: Any) -> bool:
    """Whether an answer is the wanted one, or among those of a list, or between the `min` and `max` of an object."""
    if isinstance(wanted, Mapping):
        size, least, most = (amount(name, part) for part in (value, wanted.get("min"), wanted.get("max")))
        return size is not None and (least is None or size >= least) and (most is None or size <= most)
    if isinstance(wanted, list | tuple):
        return any(holds(name, one, value) for one in wanted)
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    if name in MEASURES and amount(name, value) is not None:
        return amount(name, value) == amount(name, wanted)
    return bool(wanted == value)


def amount(name: str, value: Any) -> float | None:
    """A value as a number that can be compared; None where it is none."""
    if isinstance(value, str) and name in MEASURES:
        try:
            return MEASURES[name](value)
        except (BadRequest, ValueError):
            return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def condition(rule: Mapping[str, Any]) -> str:
    """A rule's condition in words: `renderer is gpu and cores are 8 or more`."""
    return " and ".join(f"{name} is {_wanted(wanted)}" for name, wanted in rule["if"].items())


def _wanted(wanted: Any) -> str:
    if isinstance(wanted, Mapping):
        words = {"min": "{} or more", "max": "{} or less"}
        return " and ".join(words[bound].format(limit) for bound, limit in wanted.items())
    if isinstance(wanted, list | tuple):
        return " or ".join(_wanted(one) for one in wanted)
    return next((word for word, said in SAID.items() if said is wanted), str(wanted))
