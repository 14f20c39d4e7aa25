"""The examples of docs/rest.md, run as they stand against a real server with real jobs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.doc_blocks import blocks
from tests.support.servers import JupyterServer

BASH, PYTHON = (
    next(block for block in blocks(name) if block.place.startswith("rest.md")) for name in ("bash", "python")
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path).start()
    yield server
    server.close()


def run(server: JupyterServer, *argv: str, **variables: str) -> str:
    done = subprocess.run(
        argv, env={**os.environ, **variables}, cwd=server.home, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_for_a_shell_starts_shows_and_stops_a_session(server: JupyterServer) -> None:
    said = run(server, "bash", "-euc", BASH.text, TOKEN=server.token, U=server.url.rstrip("/"))
    assert said.count('"app": "xterm"') == 2, said
    assert (server.home / "headers").stat().st_mode & 0o077 == 0
    server.wait_for(server.sessions()[0]["id"], "ENDED")


def test_the_example_for_python_waits_for_its_session_and_stops_it(server: JupyterServer) -> None:
    said = run(
        server, sys.executable, "-c", PYTHON.text, JUPYTER_TOKEN=server.token, JUPYTER_URL=server.url.rstrip("/")
    )
    state, url = said.split()
    assert state == "READY"
    session = server.sessions()[0]
    assert (session["url"], session["name"]) == (url, "from-python")
    server.wait_for(session["id"], "ENDED")
