"""What the app file and the site's settings say of what users may choose (`form`), each limit with its source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..units import format_memory, parse_memory
from ..values.app import App
from ..values.limit import Limit
from .checks import MEASURES, MIN_MEMORY, noun, suggest

LISTS = {"queue": "choices", "account": "choices", "gpus": "types"}
"""The keys of `form` that may hold a list, and what it is called there."""
LISTED = {"queue": "queue", "account": "account", "gpu_type": "gpus"}
"""The fields whose values may be listed, and the key of `form` that lists them."""


def sources(app: App) -> dict[str, dict[str, Any]]:
    """What each source says, by its name."""
    return {"app": app.form, "site": app.site}


def may_choose(app: App, key: str) -> bool:
    """Whether users may choose this: both must let them; native options, only where the site says so."""
    rule = "gpus" if key == "gpu_type" else key
    return app.form.get(rule, True) is not False and app.site.get(rule, key != "native") is not False


def of_files(app: App) -> list[Limit]:
    """The limits of amounts that the app file and the site set."""
    return [
        Limit(key, source, **{bound: rule[bound]})
        for source, rules in sources(app).items()
        for key in MEASURES
        if isinstance(rule := rules.get(key), dict)
        for bound in ("min", "max")
        if bound in rule
    ]


def listed(app: App, field: str) -> list[str] | None:
    """The values among which a field is chosen; None where any will do. What both list, in the app's order."""
    key = LISTED[field]
    lists = [
        rule[LISTS[key]]
        for rules in sources(app).values()
        if isinstance(rule := rules.get(key), dict) and LISTS[key] in rule
    ]
    return [value for value in lists[0] if all(value in other for other in lists)] if lists else None


def beyond(app: App, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, what is wrong with it) for each value that the app file or the site does not allow."""
    for limit in of_files(app):
        if words := _beyond(limit, values[limit.field], app.title):
            yield limit.field, words
    for field in LISTED:
        choices, value = listed(app, field), values[field]
        if choices is not None and value is not None and value not in choices:
            yield field, f"The {noun(field)} {value!r} is not for {app.title}. {suggest(value, choices)}"


def _beyond(limit: Limit, value: Any, title: str) -> str | None:
    """What is wrong with a value, in the words of the limit's source."""
    owner = f"{title} may have here" if limit.source == "app" else "this site allows"
    return too_much(limit.field, value, limit.min, limit.max, f"than {owner}")


def too_much(field: str, value: Any, least: Any, most: Any, than: str) -> str | None:
    """What is wrong with an amount that is out of its bounds; None where it is within."""
    measure = MEASURES.get(field, float)
    if least is not None and measure(value) < measure(least):
        return f"The {noun(field)} {value} is less {than}. Ask for {least} or more."
    if most is not None and measure(value) > measure(most):
        return f"The {noun(field)} {value} is more {than}. Ask for {most} or less."
    return None


def bounded_memory(app: App, size: int) -> str:
    """So many bytes, or as near to them as the app file and the site allow."""
    known = [limit for limit in of_files(app) if limit.field == "memory"]
    least = [MIN_MEMORY, *(str(limit.min) for limit in known if limit.min)]
    most = [str(limit.max) for limit in known if limit.max]
    size = max(size, *map(parse_memory, least))
    return format_memory(min(size, *map(parse_memory, most)) if most else size)
