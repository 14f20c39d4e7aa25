"""`make unit` fails when one of its tests needs what not everybody has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import REPOSITORY
from tests.support.unit import PACKAGES, programs

pytestmark = pytest.mark.unit
TESTS = """
import shutil, subprocess
import pytest

unit = pytest.mark.unit

@unit
def test_that_needs_xpra():
    subprocess.run(["xpra", "--version"], check=True)

@unit
@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="no display can be had")
def test_that_would_be_skipped():
    pass

@unit
@pytest.mark.skipif(True, reason="only root can give files away")
def test_for_root():
    pass

@unit
def test_with_a_shell():
    assert subprocess.run(["bash", "-c", "echo $((40 + 2))"], capture_output=True).stdout == b"42\\n"

def test_of_another_kind():
    raise AssertionError
"""


def test_what_only_debian_brings_is_out_of_sight(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "test_others.py").write_text("raise ImportError")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = unit\n")
    argv = [sys.executable, "-m", "pytest", "-rA", "-p", "tests.support.unit", "--unit"]
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    said = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False).stdout
    assert "1 failed, 1 passed, 1 skipped, 1 deselected, 1 error" in said, said
    assert "FileNotFoundError: [Errno 2] No such file or directory: 'xpra'" in said
    assert "A unit test must run everywhere. Skipped: no display can be had" in said
    assert "PASSED test_some.py::test_with_a_shell" in said


def test_the_packages_are_those_that_are_installed(tmp_path: Path) -> None:
    if Path("/usr/bin/xpra").exists() and Path("/usr/bin/dpkg-query").exists():
        assert "xpra" in programs(PACKAGES.read_text())
    assert programs("wanted=(no-such-package-anywhere)") == set()
