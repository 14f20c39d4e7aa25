"""Each defence is taken away from a copy of the package, and the test that stands for it must fail there."""

from __future__ import annotations

import os
import re
import shutil
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.mutants.forked import run
from tests.mutants.table import MUTANTS, Mutant
from tests.support.servers import REPOSITORY

ALIVE = [mutant for mutant in MUTANTS if os.geteuid() == 0 or not mutant.root]
SEEN = re.compile(r"^FAILED \S.* - (assert|AssertionError|Failed: DID NOT RAISE|TimeoutError)", re.MULTILINE)
clock = count(1_000_000_000)
HARNESS = ("tests/mutants", "tests/support")


def write(path: Path, text: str) -> None:
    """Changes a module at a time of its own, so that Python compiles it anew."""
    path.write_text(text)
    now = next(clock)
    os.utime(path, (now, now))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, browser_code: None) -> Path:
    """A copy of the package and its tests, in which all the tests of the table pass."""
    copy = tmp_path_factory.mktemp("copy")
    unneeded = shutil.ignore_patterns("__pycache__", "labextension", "e2e", "bench")
    for name in ("qconnect_web", "tests", "jobscripts", "apps"):
        shutil.copytree(REPOSITORY / name, copy / name, ignore=unneeded)
    shutil.copy(REPOSITORY / "pyproject.toml", copy)
    code, output = run(copy, sorted({mutant.node for mutant in ALIVE}), 170)
    assert code == 0, output[-4000:]
    assert "skipped" not in output.splitlines()[-1]
    return copy


def param(mutant: Mutant) -> Any:
    """The mutant, of interest when its file, its test or what plays them has changed."""
    covers = (f"qconnect_web/{mutant.file}", mutant.node.partition("::")[0], *HARNESS)
    return pytest.param(mutant, id=mutant.name.replace(" ", "-"), marks=pytest.mark.long(*covers))


@pytest.mark.parametrize("mutant", [param(mutant) for mutant in ALIVE])
def test_a_mutant_without_its_defence_fails(copy: Path, mutant: Mutant) -> None:
    path = copy / "qconnect_web" / mutant.file
    whole = path.read_text()
    assert whole.count(mutant.old) == 1, f"{mutant.file} has changed: find the defence again"
    write(path, whole.replace(mutant.old, mutant.new))
    try:
        code, output = run(copy, [mutant.node], 60)
    finally:
        write(path, whole)
    assert code == 1, output[-4000:]
    assert SEEN.search(output), output[-4000:]
