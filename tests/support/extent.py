"""How much a run of the tests tries: what every change must pass within minutes, or all of it.

A test marked `long(paths)` proves that the tests themselves are worth something; `pytest --long=changed` leaves it out
unless one of the files or folders that it names has changed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pytest

LONG = os.environ.get("QCONNECT_LONG_TESTS") == "1"
"""All numbers and pairs as they are promised, in real minutes; the whole takes hours."""
MAIN = ("origin/main", "main")


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "tests marked long: all of them, or those whose files have changed (since $QCONNECT_BASE, or main)"
    parser.addoption("--long", choices=("all", "changed"), default="all", help=text)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long") == "all" or (changed := changes(config.rootpath)) is None:
        return
    left_out = [item for item in items if (mark := item.get_closest_marker("long")) and not touched(mark.args, changed)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def touched(paths: Iterable[str], changed: set[str]) -> bool:
    """Whether a file that has changed is one of these, or in one of these folders."""
    wanted = {PurePosixPath(path) for path in paths}
    return any(wanted & {found, *found.parents} for found in map(PurePosixPath, changed))


def changes(root: Path) -> set[str] | None:
    """The files that differ from the base, in commits or not yet; None where nobody can tell."""
    if not (since := base(root)):
        return None
    listed = [
        git(root, "diff", "--name-only", "--no-renames", since),
        git(root, "ls-files", "-o", "--exclude-standard"),
    ]
    return None if None in listed else {name for names in listed if names for name in names.splitlines()}


def base(root: Path) -> str | None:
    """The commit to compare with: what CI names, where this branch left main, or main's last one but for CI."""
    if named := os.environ.get("QCONNECT_BASE"):
        return git(root, "rev-parse", "--verify", "--quiet", f"{named}^{{commit}}")
    here = git(root, "rev-parse", "HEAD")
    for main in MAIN:
        parted = git(root, "merge-base", "HEAD", main)
        if parted and parted != here:
            return parted
    return None if os.environ.get("CI") else git(root, "rev-parse", "--verify", "--quiet", "HEAD^")


def git(root: Path, *argv: str) -> str | None:
    """What git prints there; None when it fails, as without a repository or with half of its history."""
    done = subprocess.run(["git", "-C", str(root), *argv], capture_output=True, text=True, timeout=30, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
