"""Imports flow one way, floor by floor (docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "qconnect_web"
FLOORS = [
    {"models", "errors", "quantities", "datafiles", "jobids", "pinning", "questions", "endpoints"} | {"patience"},
    {"schedulers", "store", "credentials", "jobscripts", "apps", "appfiles", "forms", "clients", "assets", "vncclient"},
    {"transports", "sessions", "poll", "jobs", "intents", "generations", "words", "limits", "queues"}
    | {"doubts", "pace", "submission"},
    {"statuses", "routes", "pages", "proxy", "config", "doctor"},
    {"extension", "cli"},
]
HOMES = {
    "tornado": {"extension", "routes", "pages", "proxy"},
    "jupyter_server": {"extension", "routes", "pages", "proxy"},
    "jupyter_server_proxy": {"proxy"},
    "pexpect": {"transports"},
    "jinja2": {"jobscripts", "pages"},
}


def room(path: Path) -> str:
    """The room of a module: its file name, or its folder's for the packages inside the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[tuple[str, bool]]:
    """(name, ours) of everything that a module imports when it runs, type-checking imports left out."""
    tree = ast.parse(path.read_text())
    depth = len(path.relative_to(PACKAGE).parts)
    found: set[tuple[str, bool]] = set()
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
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


def test_no_arrow_runs_back_up() -> None:
    floor = {name: level for level, names in enumerate(FLOORS) for name in names}
    for path in modules():
        here = room(path)
        if here == "__init__":
            continue
        assert here in floor, f"{here} has no floor"
        for name, ours in imported(path):
            if ours and name != "__version__":
                assert floor[name] <= floor[here], f"{here} imports {name}, which is above it"


def test_no_circle() -> None:
    arrows = {room(path): set() for path in modules()}
    for path in modules():
        arrows[room(path)] |= {name for name, ours in imported(path) if ours and name != room(path)}
    done: set[str] = set()
    while left := {name for name in arrows if name not in done}:
        free = {name for name in left if not (arrows[name] & left)}
        assert free, f"a circle among {sorted(left)}"
        done |= free


def test_each_library_has_one_home() -> None:
    for path in modules():
        for name, ours in imported(path):
            if not ours and name in HOMES:
                assert room(path) in HOMES[name], f"{room(path)} imports {name}"


def test_xml_is_read_in_one_place() -> None:
    readers = {path.stem for path in modules() if ("xml", False) in imported(path)}
    assert readers == {"torque_words"}


def test_modules_are_short() -> None:
    long = {str(path): count for path in modules() if (count := len(path.read_text().splitlines())) > 300}
    assert not long


def test_functions_are_short() -> None:
    long = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 40:
                long.append(f"{path.name}:{node.name}")
    assert not long
