"""The launch form of an app as JSON Schema: what users may set, with the app's defaults."""

from __future__ import annotations

from typing import Any

from ..values.app import App, Field
from .answers import MAX_PATH, MAX_TEXT
from .checks import (
    CHECKS,
    GPU_TYPE,
    MAILS,
    MAX_CORES,
    MAX_GPUS,
    MAX_NAME,
    MAX_NATIVE,
    MAX_NODES,
    MEASURES,
    MIN_MEMORY,
    QUEUE,
)
from .form import defaults
from .limits import LISTED, listed, may_choose, of_files


def form(app: App) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what users may set, with the app's defaults.

    JSON Schema cannot compare amounts that are text: the limits of memory and walltime are in `x-minimum` and
    `x-maximum`, for people to read and for `job_spec` to hold. So are the rules between fields (`x-rules`).
    """
    own = defaults(app)
    properties = {key: {**SPEC[key], "default": own[key]} for key in CHECKS if may_choose(app, key)}
    if "native" in properties:
        properties["native"]["default"] = list(own["native"])
    if "memory" in properties and "memory" not in app.resources:
        properties["memory"]["description"] += "; left out, what the queue has for each core"
        del properties["memory"]["default"]
    _put_limits(app, properties)
    _put_choices(app, properties)
    if app.fields:
        answers = {field.name: of_field(field) for field in app.fields}
        properties["fields"] = {
            "title": app.title,
            "type": "object",
            "additionalProperties": False,
            "properties": answers,
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": app.title,
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "x-rules": list(app.rules),
    }


def _put_limits(app: App, properties: dict[str, Any]) -> None:
    for limit in of_files(app):
        if limit.field in properties:
            prefix = "x-" if limit.field in ("memory", "walltime") else ""
            measure = MEASURES[limit.field]
            for bound, value, tighter in (("minimum", limit.min, max), ("maximum", limit.max, min)):
                key = f"{prefix}{bound}"
                known = [properties[limit.field][key]] if key in properties[limit.field] else []
                if value is not None:
                    properties[limit.field][key] = tighter([*known, value], key=measure)


def _put_choices(app: App, properties: dict[str, Any]) -> None:
    for key in LISTED:
        if key in properties and (choices := listed(app, key)) is not None:
            own = properties[key]["default"]
            free = [None] if own is None else []
            title = SPEC[key]["title"]
            properties[key] = {"title": title, "enum": [*free, *choices], "default": own}


def of_field(field: Field) -> dict[str, Any]:
    """JSON Schema of one of the app's own fields; `x-kind` says how it is asked."""
    found: dict[str, Any] = {"title": field.title, "x-kind": field.kind, **_types(field)}
    if field.help:
        found["description"] = field.help
    if field.default is not None:
        found["default"] = field.default
    if field.required:
        found["x-required"] = True
    return found


def _types(field: Field) -> dict[str, Any]:
    if field.kind == "checkbox":
        return {"type": "boolean"}
    if field.kind == "number":
        bounds = {"minimum": field.min, "maximum": field.max}
        return {"type": ["number", "null"], **{name: value for name, value in bounds.items() if value is not None}}
    if field.kind == "choice":
        return {"enum": [*([] if field.required else [None]), *field.choices]}
    longest = {"path": MAX_PATH, "text": MAX_TEXT}.get(field.kind, 100)
    return {"type": ["string", "null"], "maxLength": longest}


SPEC: dict[str, dict[str, Any]] = {
    "name": {
        "title": "Name",
        "description": "How you will find the session again",
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_NAME,
        "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*\S[^\u0000-\u001f\u007f-\u009f]*$",
    },
    "queue": {
        "title": "Queue",
        "description": "Left out, the batch system chooses",
        "type": ["string", "null"],
        "pattern": f"^{QUEUE}$",
    },
    "cores": {"title": "Cores", "type": "integer", "minimum": 1, "maximum": MAX_CORES},
    "memory": {
        "title": "Memory",
        "description": "A number and a unit, like 4GB",
        "type": "string",
        "format": "memory",
        "x-minimum": MIN_MEMORY,
    },
    "walltime": {
        "title": "Walltime",
        "description": "How long it may run: 04:00:00, 2h or 90 min",
        "type": "string",
        "format": "walltime",
    },
    "gpus": {"title": "GPUs", "description": "On each node", "type": "integer", "minimum": 0, "maximum": MAX_GPUS},
    "gpu_type": {
        "title": "GPU type",
        "description": "Left out, any",
        "type": ["string", "null"],
        "pattern": f"^{GPU_TYPE}$",
    },
    "account": {
        "title": "Account",
        "description": "What the job is charged to; left out, your usual one",
        "type": ["string", "null"],
        "maxLength": 100,
    },
    "nodes": {
        "title": "Nodes",
        "description": "The program runs on the first",
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_NODES,
    },
    "mail": {
        "title": "E-mail",
        "description": "Sent by the batch system",
        "enum": [None, *MAILS],
    },
    "native": {
        "title": "Native options",
        "description": "Options of the batch system as they are",
        "type": "array",
        "items": {"type": "string", "maxLength": 200},
        "maxItems": MAX_NATIVE,
    },
}
