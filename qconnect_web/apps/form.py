"""What users may ask for when they start an app: checked, merged with the app's defaults, and told as a form.

A key that users may not set is not an error when its value is the app's own: "start again" repeats a whole spec.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..errors import BadFields, BadRequest
from ..units import parse_memory
from ..values.app import App, Field
from ..values.job import JobSpec
from .answers import check_answer
from .checks import CHECKS, noun, shown, suggest
from .limits import beyond, bounded_memory, may_choose, too_much
from .rules import Outcome, carry_out


def defaults(app: App) -> dict[str, Any]:
    """Every key of the spec but `fields`, with the app's value."""
    plain = JobSpec(app.name)
    known = {item.name: getattr(plain, item.name) for item in fields(JobSpec) if item.name != "fields"}
    return {**known, **app.resources, "native": tuple(app.resources.get("native", ()))}


def job_spec(app: App, given: dict[str, Any], default_queue: str | None = None) -> JobSpec:
    """The spec of a session: the app's defaults, over them what the user gave, and over both what the rules set.

    `default_queue` is what a job without a queue goes to, as far as that is known. Raises BadFields, saying of each
    field what is wrong with it: unknown ones, wrong types, values that cannot be, those beyond a limit of the app file
    or the site, and those that the app's rules do not allow.
    """
    wrong: dict[str, str] = {}
    asked, answers = _read(app, given, wrong)
    own = defaults(app)
    unasked = {**own, **dict.fromkeys(field.name for field in app.fields)}
    told = {**own, **{field.name: field.default for field in app.fields}, **asked, **answers}
    outcome = _by_the_rules(app, told, unasked, default_queue)
    for key, value in {**asked, **answers}.items():
        if key not in wrong and (words := _against(outcome, key, value, unasked.get(key))):
            wrong[key] = words
    for key, words in (*beyond(app, outcome.values), *_missing(app, outcome), *_beyond_rules(outcome)):
        wrong.setdefault(key, words)
    if wrong:
        raise BadFields.of(wrong)
    spec = {key: outcome.values[key] for key in own}
    return JobSpec(**spec, fields={key: value for key in _names(app) if (value := outcome.values.get(key)) is not None})


def _names(app: App) -> list[str]:
    return [field.name for field in app.fields]


def _read(app: App, given: Mapping[str, Any], wrong: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was given for the spec and for the app's own fields, each checked by itself; notes what is `wrong`."""
    own = defaults(app)
    asked: dict[str, Any] = {}
    for key, value in given.items():
        if key == "fields":
            continue
        try:
            asked[key] = _settled(app, key, value, own)
        except BadRequest as error:
            wrong[_plain(key)] = error.message
    answers: dict[str, Any] = {}
    known = {field.name: field for field in app.fields}
    told = given.get("fields", {})
    if not isinstance(told, Mapping):
        wrong["fields"] = f"The fields must be an object of names and answers, not {shown(told)}."
        return asked, answers
    for name, value in told.items():
        try:
            answers[name] = _answer(app, known, name, value)
        except BadRequest as error:
            wrong[_plain(name)] = error.message
    return asked, answers


def _plain(key: str) -> str:
    """A key as an error names it, which may be anything that somebody sent."""
    return key if key.isprintable() and len(key) <= 64 else shown(key)


def _answer(app: App, known: Mapping[str, Field], name: str, value: Any) -> Any:
    if name not in known:
        hint = suggest(name, known) if known else "It has none."
        raise BadRequest(f"{app.title} has no field {shown(name)}. {hint}")
    return check_answer(known[name], value)


def _settled(app: App, key: str, value: Any, own: Mapping[str, Any]) -> Any:
    """The value of one key as the spec holds it; a key that is not the user's to set may only repeat the app's."""
    if key not in own:
        free = [name for name in CHECKS if may_choose(app, name)]
        raise BadRequest(f"There is no {shown(key)} to ask for. {suggest(key, [*free, *_names(app)])}")
    found = CHECKS[key](value)
    if may_choose(app, key) or found == own[key]:
        return found
    raise BadRequest(f"The {noun(key)} of {app.title} is set by its app file and cannot be chosen. Leave it out.")


def _by_the_rules(app: App, told: dict[str, Any], unasked: dict[str, Any], default_queue: str | None) -> Outcome:
    """What the rules make of all values; they see the queue that the job goes to."""
    nowhere = told["queue"] is None
    outcome = carry_out(app.rules, {**told, "queue": default_queue if nowhere else told["queue"]}, unasked)
    if nowhere and "queue" not in outcome.fixed:
        outcome.values["queue"] = None
    return outcome


def _against(outcome: Outcome, key: str, value: Any, unasked: Any) -> str | None:
    """What is wrong with a value that was given for a field which the rules have fixed or hidden."""
    why = f"while {outcome.reasons.get(key, '')}"
    if key in outcome.hidden and value not in (unasked, None, "", False):
        return f"The {noun(key)} cannot be chosen {why}. Leave it out."
    if key in outcome.fixed and key not in outcome.hidden and value != outcome.fixed[key]:
        return f"The {noun(key)} is {outcome.fixed[key]} {why}. Leave it out."
    return None


def _missing(app: App, outcome: Outcome) -> list[tuple[str, str]]:
    """The fields that have to be filled in, and are not."""
    found = []
    for field in app.fields:
        if field.required and field.name not in outcome.hidden and outcome.values.get(field.name) in (None, ""):
            found.append((field.name, f"{field.title} is needed. Fill it in."))
    return found


def _beyond_rules(outcome: Outcome) -> list[tuple[str, str]]:
    """What the rules' own limits do not allow."""
    found = []
    for key, limits in outcome.limits.items():
        value = outcome.values.get(key)
        than = f"than it may be while {outcome.reasons[key]}"
        if value is not None and (words := too_much(key, value, limits.get("min"), limits.get("max"), than)):
            found.append((key, words))
    return found


def usual_memory(app: App, cores: int) -> str:
    """The app's memory in proportion to the cores, within its limits."""
    own = defaults(app)
    return bounded_memory(app, parse_memory(own["memory"]) // int(own["cores"]) * cores)
