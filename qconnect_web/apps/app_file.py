"""One app file, read: YAML of bounded size to checked values that know their lines.

The dialect is YAML's core schema without fractions: `24:00:00` and the version `4.10` are text, `no` is not a boolean.
Anchors, tags and duplicate keys are refused; only a node tree is ever composed, no object is constructed by YAML.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError

from ..errors import BadAppFile, BadRequest
from .checks import check_memory, check_walltime, shown, suggest

MAX_SIZE = 32 * 1024
MAX_ICON = 64 * 1024
MAX_DEPTH = 8
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""An app's name: the file's without `.yaml`; it goes into URLs and is a session's first name."""
AMOUNTS: dict[str, Callable[[str], str]] = {"memory": check_memory, "walltime": check_walltime}
Place = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """Composes nodes of the core schema; anchors and deep nesting end it."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """One node, never one that stands for another."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # types-PyYAML leaves the parser untyped
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(None, None, "anchors (&, *) are not used here", event.start_mark)
        if self.depth >= MAX_DEPTH:
            raise yaml.MarkedYAMLError(None, None, "the nesting is too deep", event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)\Z", list("tTfF")),
    ("null", r"(?:~|null|Null|NULL|)\Z", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]{1,18}\Z", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


@dataclass(frozen=True)
class AppFile:
    """What one file says: its values, and the line of each."""

    path: Path
    data: dict[str, Any]
    lines: dict[Place, int]

    def at(self, place: Place) -> Any:
        """The value of one place."""
        found: Any = self.data
        for part in place:
            found = found[part]
        return found

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest one around it that the file has."""
        return next((self.lines[place[:end]] for end in range(len(place), -1, -1) if place[:end] in self.lines), 1)

    def bad(self, place: Place, words: str) -> BadAppFile:
        """The error about one place: file, line of it or of what holds it, key, what is wrong and what to do."""
        key = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
        return BadAppFile(f"{self.path}, line {self.line(place)}: " + (f"`{key}` {words}" if key else words))


def read_app_file(path: Path, *, trusted: bool = False) -> AppFile:
    """The checked content of an app file; raises BadAppFile.

    `trusted`: the installation's own file, which the modes of a checkout need not protect from others.
    """
    if not NAME.fullmatch(path.stem):
        raise BadAppFile(
            f"{path}: an app's name is its file's, of up to 64 letters, digits and . _ - signs. Rename the file."
        )
    text = _text(path, trusted)
    file = _composed(path, text)
    errors = _validator().iter_errors(file.data)
    if first := min(errors, key=lambda error: file.line(tuple(error.absolute_path)), default=None):
        raise _explained(file, first)
    _check_values(file)
    return file


def _text(path: Path, trusted: bool) -> str:
    """The file's text; no pipe or device is waited for, and no more than the limit is read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            content = file.read(MAX_SIZE + 1) if stat.S_ISREG(status.st_mode) else None
    except OSError as error:
        raise BadAppFile(f"{path} cannot be read: {error.strerror}. Make it readable, or remove it.") from None
    if content is None:
        raise BadAppFile(f"{path} is not a file. Put a file of text there, or remove it.")
    if not trusted and status.st_mode & stat.S_IWOTH:
        raise BadAppFile(f"{path} can be changed by everybody on this machine. Protect it: chmod o-w.")
    if len(content) > MAX_SIZE:
        raise BadAppFile(f"{path} is larger than {MAX_SIZE // 1024} KiB. Move long preparations into a script.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadAppFile(f"{path}, line {line}: this is not UTF-8. Save the file as UTF-8.") from None


def _composed(path: Path, text: str) -> AppFile:
    """The values and lines of YAML text."""
    file = AppFile(path, {}, {})
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = f"this is not YAML as app files have it: {error.problem or error.context}. Correct the line."
        raise BadAppFile(f"{path}, line {mark.line + 1 if mark else 1}: {words}") from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise BadAppFile(f"{path}, line {line}: there is a character that YAML does not allow. Remove it.") from None
    except (ValueError, OverflowError):  # PyYAML on an escape beyond Unicode, like "\UFFFFFFFF"
        raise BadAppFile(f"{path}: an escape in quotes is not a character. Write the character itself.") from None
    if not isinstance(node, yaml.MappingNode):
        raise BadAppFile(f"{path}, line 1: an app file holds keys and values. Begin with a line like `title: XTerm`.")
    file.data.update(_plain(file, node, ()))
    return file


def _plain(file: AppFile, node: yaml.Node, place: Place) -> Any:
    """A node as plain values; notes the line of each place in `file.lines`."""
    file.lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
        return [_plain(file, item, (*place, index)) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
        return _mapping(file, node, place)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(file, node, place)
    raise file.bad(place, "has a tag (!). Write plain values.")


def _mapping(file: AppFile, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        line = key.start_mark.line + 1
        if not isinstance(name, str) or any(not char.isprintable() for char in name):
            raise BadAppFile(f"{file.path}, line {line}: a key must be a word. Known keys are in docs/apps.md.")
        if name in found:
            raise BadAppFile(f"{file.path}, line {line}: `{name[:40]}` is there twice. Remove one of the two.")
        inner: Place = (*place, name)
        file.lines[inner] = line
        found[name] = _plain(file, value, inner)
    return found


def _scalar(file: AppFile, node: yaml.ScalarNode, place: Place) -> Any:
    kind, text = node.tag.removeprefix("tag:yaml.org,2002:"), str(node.value)
    try:
        if kind == "str":
            text.encode()  # an escape like "\uD800" is half a character
            return text
        if kind == "int":
            return int(text)
    except ValueError:
        raise file.bad(place, "is not a value that can be passed on. Write plain text or a number.") from None
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind == "null":
        return None
    raise file.bad(place, "has a tag (!). Write plain values.")


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema of app files, as it lies in the package."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("app-schema.json").read_text(encoding="utf-8"))
    return found


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def _rules(place: Place) -> dict[str, Any]:
    """The schema of one place of a file, references resolved."""
    rules = schema()
    for part in place:
        if isinstance(part, str):
            free = rules.get("additionalProperties")
            rules = rules.get("properties", {}).get(part, free if isinstance(free, dict) else {})
        else:
            first = rules.get("prefixItems", [])
            rules = first[part] if part < len(first) else rules.get("items", {})
        if "$ref" in rules:
            rules = {**schema()["$defs"][rules["$ref"].removeprefix("#/$defs/")], **rules}
    return rules


def _explained(file: AppFile, error: ValidationError) -> BadAppFile:
    """A violation of the schema in the words of people."""
    place: Place = tuple(error.absolute_path)
    rules = _rules(place)
    if error.validator == "additionalProperties":
        known = rules["properties"]
        name = next(name for name in file.at(place) if name not in known)
        return file.bad((*place, name), f"is not a key of app files. {suggest(name, known)}")
    value = file.at(place)
    found = "is empty" if value is None else f"is {shown(value)}"
    example = yaml.safe_dump(rules["examples"][0], default_flow_style=True).removesuffix("...\n").strip()
    return file.bad(place, f"{found}, which cannot be. It must be {rules['description']}. Example: {example}")


def _check_values(file: AppFile) -> None:
    """What a schema cannot say: amounts that are text, and the icon's file."""
    for place, value in _leaves(file.data, ()):
        for key in AMOUNTS.keys() & set(place):
            try:
                AMOUNTS[key](value)
            except BadRequest as error:
                raise file.bad(place, f"is not right. {error.message}") from None
    if "icon" in file.data:
        _check_icon(file, file.path.parent / file.data["icon"])


def _leaves(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """The texts below one place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*place, key))
    elif isinstance(value, str):
        yield place, value


def _check_icon(file: AppFile, icon: Path) -> None:
    """Raises BadAppFile unless the icon is an SVG of bounded size."""
    try:
        status = icon.stat()
        fits = stat.S_ISREG(status.st_mode) and status.st_size <= MAX_ICON
        drawn = fits and b"<svg" in icon.read_bytes()
    except OSError as error:
        raise file.bad(("icon",), f"names {icon}, which cannot be read: {error.strerror}. Put an SVG there.") from None
    if not drawn:
        raise file.bad(
            ("icon",), f"names {icon}, which is not an SVG of at most {MAX_ICON // 1024} KiB. Put one there."
        )
