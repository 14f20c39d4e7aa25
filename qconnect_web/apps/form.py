"""What users may ask for when they start an app: checked, merged with the app's defaults, and told as a form.

A key that users may not set is not an error when its value is the app's own: "start again" repeats a whole spec.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

from ..errors import BadRequest
from ..units import format_memory, format_walltime, parse_memory, parse_walltime
from ..values.app import App
from ..values.job import JobSpec

MAX_NAME = 100
MAX_CORES = 65536
MIN_MEMORY = "256MB"
"""xpra and its X server need it: with 64MB they never came up, with 96MB just so (torque-job.md)."""
MAX_WALLTIME = "9999:59:59"
"""What `units.parse_walltime` reads back: four digits of hours."""
QUEUE = r"[A-Za-z0-9._-]{1,64}"
UNITS = "a number and a unit, like 4GB"


def suggest(word: str, known: Iterable[str]) -> str:
    """The end of a message about a word that is not known: the nearest one, or all."""
    names = sorted(known)
    near = difflib.get_close_matches(word.lower(), names, 1)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(names)}."


def shown(value: Any) -> str:
    """A value as a message repeats it: short, and without control characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def check_name(value: Any) -> str:
    """A session's name, kept to the letter; raises BadRequest."""
    if not isinstance(value, str):
        raise BadRequest(f"The name must be text, not {shown(value)}. Write it in quotes.")
    if not value.strip():
        raise BadRequest("The name is empty. Leave it out, or write one of 1 to 100 characters.")
    if len(value) > MAX_NAME:
        raise BadRequest(f"The name has {len(value)} characters. Use {MAX_NAME} or fewer.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise BadRequest(f"The name {shown(value)} holds control characters. Write it in one line of plain text.")
    return value


def check_cores(value: Any) -> int:
    """A number of cores; raises BadRequest."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadRequest(f"The cores must be a whole number like 4, not {shown(value)}.")
    if not 1 <= value <= MAX_CORES:
        raise BadRequest(f"The cores cannot be {shown(value)}. Ask for 1 to {MAX_CORES}.")
    return value


def check_memory(value: Any) -> str:
    """Memory in its shortest exact form (`2048mb` → `2GB`); raises BadRequest."""
    if not isinstance(value, str):
        raise BadRequest(f"The memory must be text, {UNITS}, not {shown(value)}.")
    if (size := parse_memory(value)) < parse_memory(MIN_MEMORY):
        raise BadRequest(f"The memory {value!r} is too little for a display. Ask for {MIN_MEMORY} or more, like 4GB.")
    return format_memory(size)


def check_walltime(value: Any) -> str:
    """A walltime as `HH:MM:SS`; raises BadRequest."""
    if not isinstance(value, str):
        raise BadRequest(f"The walltime must be text like 04:00:00, not {shown(value)}.")
    if (seconds := parse_walltime(value)) > parse_walltime(MAX_WALLTIME):
        raise BadRequest(f"The walltime {value!r} is more than a year. Ask for {MAX_WALLTIME} or less, like 04:00:00.")
    return format_walltime(seconds)


def check_queue(value: Any) -> str | None:
    """A queue's name, or None for the batch system's own choice; raises BadRequest."""
    if value is None or (isinstance(value, str) and re.fullmatch(QUEUE, value)):
        return value
    raise BadRequest(
        f"The queue {shown(value)} is not a queue's name. "
        "Use up to 64 letters, digits and the signs . _ - or leave it out."
    )


CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": check_name,
    "cores": check_cores,
    "memory": check_memory,
    "walltime": check_walltime,
    "queue": check_queue,
}
"""What users may set, in the order of the form."""
MEASURES: dict[str, Callable[[Any], int]] = {"cores": int, "memory": parse_memory, "walltime": parse_walltime}


def defaults(app: App) -> dict[str, Any]:
    """Every key of the spec with the app's value."""
    plain = JobSpec(app.name)
    known = {item.name: getattr(plain, item.name) for item in fields(JobSpec)}
    return {**known, **app.resources, "native": tuple(app.resources.get("native", ()))}


def job_spec(app: App, given: dict[str, Any]) -> JobSpec:
    """The spec of a session: the app's defaults, and over them what the user gave.

    Raises BadRequest, naming the key, for unknown keys, wrong types, values that cannot be, and those beyond the
    limits of the app file.
    """
    values = defaults(app)
    for key, value in given.items():
        if key not in values:
            free = [name for name in CHECKS if app.form.get(name) is not False]
            raise BadRequest(f"There is no {shown(key)} to ask for. {suggest(key, free)}")
        values[key] = _settled(app, key, value, values[key])
    for key in MEASURES:
        _within_limits(app, key, values[key])
    _among_choices(app, values["queue"])
    return JobSpec(**values)


def usual_memory(app: App, cores: int) -> str:
    """The app's memory in proportion to the cores, within its limits."""
    own = defaults(app)
    return bounded_memory(app, parse_memory(own["memory"]) // int(own["cores"]) * cores)


def bounded_memory(app: App, size: int) -> str:
    """So many bytes, or as near to them as the app file allows."""
    limits = _limits(app, "memory")
    size = max(size, parse_memory(limits.get("min", MIN_MEMORY)))
    return format_memory(min(size, parse_memory(limits["max"])) if "max" in limits else size)


def _settled(app: App, key: str, value: Any, own: Any) -> Any:
    """The value of one key as the spec holds it; a key that is not the user's to set may only repeat the app's."""
    if key in CHECKS:
        value = CHECKS[key](value)
    elif isinstance(value, list):
        value = tuple(value)
    if (key in CHECKS and app.form.get(key) is not False) or (value == own and type(value) is type(own)):
        return value
    raise BadRequest(f"The {key} of {app.title} is set by its app file and cannot be chosen. Leave it out.")


def _limits(app: App, key: str) -> dict[str, Any]:
    """What the app file says of a key, without the plain yes and no."""
    rule = app.form.get(key)
    return rule if isinstance(rule, dict) else {}


def _within_limits(app: App, key: str, value: Any) -> None:
    limits, measure = _limits(app, key), MEASURES[key]
    for bound, words, sign in (("min", "less", -1), ("max", "more", 1)):
        if bound in limits and (measure(value) - measure(limits[bound])) * sign > 0:
            other = "more" if words == "less" else "less"
            raise BadRequest(
                f"The {key} {value} is {words} than {app.title} may have here. Ask for {limits[bound]} or {other}."
            )


def _among_choices(app: App, queue: str | None) -> None:
    choices = _limits(app, "queue").get("choices")
    if choices and queue is not None and queue not in choices:
        raise BadRequest(f"The queue {queue!r} is not for {app.title}. {suggest(queue, choices)}")


def form(app: App) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what users may set, with the app's defaults.

    JSON Schema cannot compare amounts that are text: the limits of memory and walltime are in `x-minimum` and
    `x-maximum`, for people to read and for `job_spec` to hold.
    """
    own = defaults(app)
    properties = {key: {**_FIELDS[key], "default": own[key]} for key in CHECKS if app.form.get(key) is not False}
    if "memory" in properties and "memory" not in app.resources:
        properties["memory"]["description"] += "; left out, what the queue has for each core"
        del properties["memory"]["default"]
    for key in MEASURES.keys() & properties.keys():
        prefix = "" if key == "cores" else "x-"
        for bound, value in _limits(app, key).items():
            properties[key][f"{prefix}{bound}imum"] = value
    if "queue" in properties and (choices := _limits(app, "queue").get("choices")):
        free = [] if own["queue"] else [None]
        properties["queue"] = {"title": "Queue", "enum": [*free, *choices], "default": own["queue"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": app.title,
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


_FIELDS: dict[str, dict[str, Any]] = {
    "name": {
        "title": "Name",
        "description": "How you will find the session again",
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_NAME,
        "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*\S[^\u0000-\u001f\u007f-\u009f]*$",
    },
    "cores": {"title": "Cores", "type": "integer", "minimum": 1, "maximum": MAX_CORES},
    "memory": {
        "title": "Memory",
        "description": "A number and a unit, like 4GB",
        "type": "string",
        "pattern": r"^\s*(?!0+\D)[0-9]{1,7}\s?[KMGTkmgt][Bb]?\s*$",
        "x-minimum": MIN_MEMORY,
    },
    "walltime": {
        "title": "Walltime",
        "description": "How long it may run: hours:minutes:seconds, like 04:00:00",
        "type": "string",
        "pattern": r"^([0-9]{1,3}-)?([0-9]{1,4}:)?[0-5]?[0-9]:[0-5][0-9]$",
    },
    "queue": {
        "title": "Queue",
        "description": "Left out, the batch system chooses",
        "type": ["string", "null"],
        "pattern": f"^{QUEUE}$",
    },
}


def describe(app: App, *, available: bool, reason: str | None, icon_url: str) -> dict[str, Any]:
    """The app as JSON: `reason` says why it is not available, `form` what may be asked for."""
    return {
        "name": app.name,
        "title": app.title,
        "description": app.description,
        "category": app.category,
        "icon": icon_url,
        "kind": app.kind,
        "available": available,
        "reason": reason,
        "takes_command": app.takes_command,
        "resources": {**app.resources},
        "form": form(app),
    }
