"""Tests marked `long` are left out only where it is certain that nothing that they cover has changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.extent import changes, touched
from tests.support.servers import REPOSITORY

pytestmark = pytest.mark.unit


TESTS = """
import pytest

@pytest.mark.long("a")
def test_of_a(): pass

@pytest.mark.long("b/one", "c")
def test_of_b(): pass

def test_of_all(): pass
"""


def git(root: Path, *argv: str) -> str:
    names = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *names, *argv], cwd=root, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.strip()


def commit(root: Path, name: str) -> str:
    """A commit that adds a file; returns its id."""
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(name)
    git(root, "add", "-A")
    git(root, "commit", "-qm", name)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose main has two commits."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("QCONNECT_BASE", raising=False)
    git(tmp_path, "init", "-q")
    commit(tmp_path, "a/one")
    commit(tmp_path, "a/two")
    return tmp_path


def test_on_a_branch_all_that_it_changed_counts_also_what_is_not_committed(root: Path) -> None:
    git(root, "checkout", "-qb", "branch")
    commit(root, "b/three")
    commit(root, "b/four")
    (root / "a/one").write_text("otherwise")
    (root / "b/five").write_text("new")
    assert changes(root) == {"a/one", "b/three", "b/four", "b/five"}


def test_on_main_its_last_commit_counts_and_in_ci_nobody_can_tell(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert changes(root) == {"a/two"}
    monkeypatch.setenv("CI", "true")
    assert changes(root) is None


def test_ci_may_name_what_was_there_before(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = git(root, "rev-parse", "HEAD")
    commit(root, "b/three")
    commit(root, "b/four")
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("QCONNECT_BASE", before)
    assert changes(root) == {"b/three", "b/four"}
    monkeypatch.setenv("QCONNECT_BASE", "0" * 40)  # what GitHub says of a new branch
    assert changes(root) is None


def test_without_the_history_nobody_can_tell(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    shallow = tmp_path_factory.mktemp("shallow")
    git(shallow, "clone", "-q", "--depth=1", root.as_uri(), ".")
    assert changes(shallow) is None
    assert changes(tmp_path_factory.mktemp("none")) is None


def test_a_file_or_a_folder_with_all_in_it_is_covered() -> None:
    changed = {"tests/cluster/torque/mom.py"}
    assert touched(["tests/cluster"], changed)
    assert touched(["tests/cluster/torque/mom.py"], changed)
    assert not touched(["tests/cluster/torque/mom", "tests/clus", "mom.py"], changed)


def test_what_has_not_changed_is_left_out_where_only_changes_are_asked_for(root: Path) -> None:
    (root / "test_some.py").write_text(TESTS)
    (root / "pytest.ini").write_text("[pytest]\nmarkers = long\n")
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.extent", "-p", "no:cacheprovider"]
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    for long, result in (("all", "3 passed"), ("changed", "2 passed, 1 deselected")):
        argv_long = [*argv, f"--long={long}"]
        said = subprocess.run(
            argv_long, cwd=root, env=env, capture_output=True, text=True, timeout=60, check=False
        ).stdout
        assert result in said, said
