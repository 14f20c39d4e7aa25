"""Imports flow one way, floor by floor (docs/architecture.md)."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "qconnect_web"
FLOORS = [
    {"errors", "aio", "data_files", "environment", "plain_text", "processes", "relay"},
    {"units", "private_files"},
    {"values"},
    {"apps", "schedulers", "transports", "clients"},
    {"sessions", "job_script", "http"},
    {"proxy", "config"},
    {"site"},
    {"api", "pages", "doctor"},
    {"extension", "cli"},
]
"""From the ground up: a room imports its own floor and those below it."""
HOMES = {
    "tornado": {"extension", "http", "api", "pages", "proxy"},
    "jupyter_server": {"extension", "http", "api", "pages", "proxy"},
    "jupyter_server_proxy": {"proxy"},
    "pexpect": {"transports"},
    "jinja2": {"job_script", "pages"},
}
MOST_ROOMS = 26
LOOKS_UP = {("http", "site")}
"""The one arrow back up, for the type alone: handlers name what `site` has built and handed down to them."""


def room(path: Path) -> str:
    """The room of a module: its file name, or its folder's for the packages inside the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path, types: bool = False) -> set[tuple[str, bool]]:
    """(name, ours) of everything that a module imports when it runs; with `types`, also for the type checker alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    depth = len(path.relative_to(PACKAGE).parts)
    found: set[tuple[str, bool]] = set()
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) and not types
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {(name.name.partition(".")[0], False) for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level and node.level == depth:
                names = [node.module.partition(".")[0]] if node.module else [name.name for name in node.names]
                found |= {(name, True) for name in names}
            elif not node.level and node.module:
                found.add((node.module.partition(".")[0], False))
    return found


def modules() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if "labextension" not in path.parts]


def rooms() -> set[str]:
    return {room(path) for path in modules()} - {"__init__"}


def test_no_arrow_runs_back_up() -> None:
    floor = {name: level for level, names in enumerate(FLOORS) for name in names}
    for path in modules():
        here = room(path)
        if here == "__init__":
            continue
        assert here in floor, f"{here} has no floor"
        for name, ours in imported(path, types=True):
            if ours and name != "__version__" and (here, name) not in LOOKS_UP:
                assert floor[name] <= floor[here], f"{here} imports {name}, which is above it"


def test_every_look_up_is_still_taken() -> None:
    arrows = {(room(path), name) for path in modules() for name, ours in imported(path, types=True) if ours}
    assert arrows >= LOOKS_UP


def test_no_circle() -> None:
    arrows: dict[str, set[str]] = {room(path): set() for path in modules()}
    for path in modules():
        arrows[room(path)] |= {name for name, ours in imported(path) if ours and name != room(path)}
    done: set[str] = set()
    while left := {name for name in arrows if name not in done}:
        free = {name for name in left if not (arrows[name] & left)}
        assert free, f"a circle among {sorted(left)}"
        done |= free


def test_the_floors_name_the_rooms_that_there_are() -> None:
    assert set().union(*FLOORS) == rooms()
    assert len(rooms()) <= MOST_ROOMS


@pytest.mark.parametrize("name", sorted(rooms()))
def test_each_room_is_named_in_the_architecture(name: str) -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    assert re.search(rf"^\| `{name}/?` \|", text, re.MULTILINE), f"docs/architecture.md has no row for the room {name}"


def test_each_library_has_one_home() -> None:
    for path in modules():
        for name, ours in imported(path):
            if not ours and name in HOMES:
                assert room(path) in HOMES[name], f"{room(path)} imports {name}"


def test_the_relay_needs_the_standard_library_alone() -> None:
    for path in (PACKAGE / "relay").glob("*.py"):
        strange = {name for name, ours in imported(path) if ours or name not in sys.stdlib_module_names}
        assert not strange, f"{path.name} imports {strange}"


def test_xml_is_read_in_one_place() -> None:
    readers = {path.relative_to(PACKAGE).as_posix() for path in modules() if ("xml", False) in imported(path)}
    assert readers == {"schedulers/pbs/torque_xml.py"}


def test_modules_are_short() -> None:
    long = {str(path): count for path in modules() if (count := len(path.read_text().splitlines())) > 300}
    assert not long


def test_functions_are_short() -> None:
    long, lengths = [], []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lengths.append((node.end_lineno or 0) - node.lineno + 1)
                if lengths[-1] > 40:
                    long.append(f"{path.name}:{node.name}")
    assert not long
    assert sorted(lengths)[len(lengths) * 9 // 10] <= 15


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_texts_are_in_one_encoding_in_every_locale(path: Path) -> None:
    """As ruff's PLW1514, also where it cannot tell that something is a path."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    texts = [call for call in calls if getattr(call.func, "attr", "") in ("read_text", "write_text")]
    assert all("encoding" in {word.arg for word in call.keywords} for call in texts)
