"""Tests are found where their subject is: each room has its folder, and each name in the tests is one thing."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict

import pytest

from tests.support.servers import REPOSITORY

pytestmark = pytest.mark.unit
TESTS = REPOSITORY / "tests"
PACKAGE = REPOSITORY / "qconnect_web"
BESIDE = {
    "jobscripts",  # the shell side, which is no room of the package
    "security",  # what no single room can promise
    "cluster",
    "fronts",  # real web servers before all of it
    "hub",
    "e2e",
    "bench",
    "mutants",
    "support",
}
"""Folders of tests that no room of the package has."""
ABOUT_ALL = {"aio", "browser_code", "doc_blocks", "docs", "habits", "imports", "layout", "packaging", "plain_text"}
"""Tests at the root: of the repository as a whole, and of modules at the package's root."""


def rooms() -> set[str]:
    return {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.glob("*/__init__.py")}


def folders() -> set[str]:
    return {path.relative_to(TESTS).parts[0] for path in TESTS.glob("*/**/test_*.py")}


def test_each_room_has_its_folder_of_tests_and_each_folder_its_room() -> None:
    assert len(rooms()) > 10
    assert folders() == rooms() | BESIDE


def test_at_the_root_are_tests_of_the_whole() -> None:
    assert {path.stem.removeprefix("test_") for path in TESTS.glob("test_*.py")} <= ABOUT_ALL


def test_no_two_files_of_tests_have_one_name() -> None:
    """Lanes gather files of several rooms, and pytest knows each by its name alone."""
    names = Counter(path.name for path in TESTS.glob("**/test_*.py"))
    assert not [name for name, count in names.items() if count > 1]


def test_no_two_classes_of_the_tests_have_one_name() -> None:
    found = defaultdict(set)
    for path in TESTS.glob("**/*.py"):
        if path.is_symlink():
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                found[node.name].add(path.relative_to(TESTS).as_posix())
    assert not {name: paths for name, paths in found.items() if len(paths) > 1}
