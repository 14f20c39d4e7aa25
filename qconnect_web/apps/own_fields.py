"""The questions and rules of one app file (`fields:`, `when:`), checked for what a schema cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import BadRequest
from ..values.app import Field
from .answers import check_answer, read_by_a_shell
from .checks import CHECKS, suggest

if TYPE_CHECKING:
    from .app_file import AppFile

UNRULED = ("name", "native")
"""What rules are not about: a name means nothing, and native options are a list."""


def fields_of(data: Mapping[str, Any], file: AppFile) -> tuple[Field, ...]:
    """The app's own fields; raises BadAppFile."""
    found: list[Field] = []
    for index, item in enumerate(data.get("fields", ())):
        place = ("fields", index)
        field = Field(
            name=item["name"],
            kind=item["type"],
            title=item.get("label", item["name"].replace("_", " ").capitalize()),
            help=item.get("help", ""),
            default=item.get("default"),
            required=item.get("required", False),
            choices=tuple(item.get("choices", ())),
            module=item.get("module", ""),
            min=item.get("min"),
            max=item.get("max"),
            value=item.get("value", "1"),
        )
        if field.name in {*CHECKS, "fields", "command", *(other.name for other in found)}:
            raise file.bad((*place, "name"), f"is {field.name!r}, which is taken. Choose another name.")
        for needed in {"choice": ("choices",), "module": ("module",)}.get(field.kind, ()):
            if not item.get(needed):
                raise file.bad(place, f"is a {field.kind} without `{needed}`. Add it.")
        _check_default(field, file, place)
        found.append(field)
    if names := read_by_a_shell(data.get("command", ())) & {field.name for field in found}:
        name = min(names)
        raise file.bad(
            ("command",),
            f"has `{{{name}}}` in a script that a shell reads, where an answer could be a command. "
            f'Write "$field_{name}" there.',
        )
    return tuple(found)


def _check_default(field: Field, file: AppFile, place: tuple[str | int, ...]) -> None:
    if field.default is None:
        return
    try:
        check_answer(field, field.default)
    except BadRequest as error:
        raise file.bad((*place, "default"), f"cannot be. {error.message}") from None


def rules_of(data: Mapping[str, Any], fields: Iterable[Field], file: AppFile) -> tuple[dict[str, Any], ...]:
    """The rules between fields, their values in one form; raises BadAppFile for what no field is called or can be."""
    checks: dict[str, Callable[[Any], Any]] = {key: check for key, check in CHECKS.items() if key not in UNRULED}
    checks |= {field.name: partial(check_answer, field) for field in fields}
    return tuple(_rule(rule, checks, file, ("when", index)) for index, rule in enumerate(data.get("when", ())))


def _rule(
    rule: Mapping[str, Any], checks: Mapping[str, Callable[[Any], Any]], file: AppFile, place: tuple[str | int, ...]
) -> dict[str, Any]:
    """One rule with its values checked; those of conditions stay as they are, since a field may hold anything."""
    for part in ("if", "set", "min", "max", "hide"):
        for name in rule.get(part, ()):
            if name not in checks:
                raise file.bad((*place, part), f"names {name!r}, which is no field. {suggest(name, checks)}")
    found = dict(rule)
    for part in ("set", "min", "max"):
        try:
            values = {name: checks[name](value) for name, value in rule.get(part, {}).items()}
        except BadRequest as error:
            raise file.bad((*place, part), f"is not right. {error.message}") from None
        found |= {part: values} if values else {}
    return found
