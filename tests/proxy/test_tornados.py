"""Taking connections out of Tornado's hands touches its private fields: each Tornado that is allowed is tried."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tornado

from tests.support.servers import LEAN_PATH, REPOSITORY

OLDER = ["6.4", "6.5"]
"""The first of each series below the one that is installed, with which all other tests run."""
TESTS = "come_first or not_lost or last_words"


@pytest.fixture(params=OLDER)
def older(request: pytest.FixtureRequest) -> Path:
    """A folder with an older Tornado alone; kept between runs."""
    folder = Path(request.config.cache.mkdir(f"tornado-{request.param}"))
    if not (folder / "tornado" / "__init__.py").exists():
        argv = ["install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(folder)]
        subprocess.run([sys.executable, "-m", "pip", *argv, f"tornado=={request.param}"], check=True, timeout=120)
    return folder


def test_connections_are_taken_out_of_an_older_tornado(older: Path) -> None:
    env = {**os.environ, "PYTHONPATH": f"{older}{os.pathsep}{LEAN_PATH}"}
    argv = [sys.executable, "-c", "import tornado; print(tornado.version)"]
    found = subprocess.run(argv, env=env, capture_output=True, check=True)
    assert found.stdout.decode().strip() == older.name.rpartition("-")[2] != tornado.version
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", TESTS, "tests/proxy/test_splice.py"]
    done = subprocess.run(argv, env=env, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert int(done.stdout.rpartition(" passed")[0].split()[-1]) >= 9


def test_the_newest_is_the_one_that_is_installed() -> None:
    assert tornado.version_info[:2] >= (6, 6)
