"""A test that passed only when it was run once more is told with its first failure, and too many fail in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.failures import MOST, tell
from tests.support.servers import REPOSITORY

pytestmark = pytest.mark.unit
FLAKY = """
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(NUMBER))
def test_that_needs_a_second_run(number):
    seen = Path(f"seen-{number}")
    before, _ = seen.exists(), seen.touch()
    assert before, "the machine was busy"

def test_that_never_passes():
    assert False, "it is wrong"
"""


def run(folder: Path, place: str, *more: str) -> int:
    """pytest's exit code for the tests there; the failures go to the folder `place`."""
    (folder / place).mkdir()
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.failures", "--failures", f"{place}/lane", *more]
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, timeout=60, check=False).returncode


@pytest.mark.parametrize("number", [MOST, MOST + 1])
def test_what_passed_only_alone_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (tmp_path / "test_flaky.py").write_text(FLAKY.replace("NUMBER", str(number)))
    assert [run(tmp_path, "first"), run(tmp_path, "again", "--last-failed")] == [1, 1]
    kept = tmp_path / "kept" / "reruns.txt"
    for ci, status in (("", 0), ("true", int(number > MOST))):
        monkeypatch.setenv("CI", ci)
        assert tell(tmp_path / "first", tmp_path / "again", kept) == status
        said = capsys.readouterr().out
        assert f"{number} of the tests passed only" in said
        assert "test_flaky.py::test_that_needs_a_second_run[0] failed first" in said
        assert "AssertionError: the machine was busy" in kept.read_text()
        assert "never_passes" not in said + kept.read_text()


def test_nothing_is_told_where_nothing_was_run_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in ("first", "again"):
        (tmp_path / place).mkdir()
    assert tell(tmp_path / "first", tmp_path / "again", tmp_path / "kept" / "reruns.txt") == 0
    assert capsys.readouterr().out == ""
