"""A ready script, submitted without us, is a session like any other; and no secret of a session is told to anybody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qconnect_web.job_script import ready_scripts
from qconnect_web.schedulers.local.scheduler import LocalScheduler
from qconnect_web.values.job import JobSpec
from tests.support.deadline import eventually
from tests.support.servers import JupyterServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path).start()
    yield server
    server.close()


def submit_by_hand(server: JupyterServer, monkeypatch: pytest.MonkeyPatch, name: str) -> str:
    """Submits an app's ready script as `qsub` would: with no tag and no folder of ours. Returns the job id."""
    monkeypatch.setenv("HOME", str(server.home))
    scheduler = LocalScheduler(server.home / ".local/share/qconnect/local", max_running=4)
    spec = JobSpec("by-hand", memory="512MB", walltime="00:10:00")
    return asyncio.run(scheduler.submit(ready_scripts()[name], spec, session="", folder=server.home))


def test_a_script_submitted_by_hand_is_listed_and_opens(server: JupyterServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server.sessions() == []
    job_id = submit_by_hand(server, monkeypatch, "xterm")

    def listed() -> list[dict[str, Any]]:
        return [session for session in server.sessions() if session["id"] == job_id]

    (session,) = eventually(listed, 20, "the session in the list")
    assert session["app"] == "xterm"
    assert server.wait_for(job_id, "READY")["title"] == "XTerm"
    page = server.request("GET", f"qconnect/{job_id}/")
    assert page.status == 200
    assert b"viewer" in page.body
    assert server.request("GET", f"qconnect/api/sessions/{job_id}/script").status == 409
    assert server.end(job_id)["state"] == "ENDED"
    eventually(lambda: not [1 for line in server.leftovers().values() if "Xvfb" in line], 10, "the end of its display")


def test_a_ready_script_whose_program_is_missing_says_which(
    server: JupyterServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = submit_by_hand(server, monkeypatch, "rstudio")
    eventually(lambda: any(session["id"] == job_id for session in server.sessions()), 20, "the session in the list")
    assert "`rstudio`" in server.wait_for(job_id, "FAILED")["reason"]


def test_no_secret_is_told(server: JupyterServer) -> None:
    job_id = server.launch()["id"]
    server.wait_for(job_id, "READY")
    (folder,) = [path.parent for path in (server.home / ".local/share/qconnect/sessions").glob("*/connection.json")]
    secrets = [server.token]
    for name in ("server.key", "client.key"):
        secrets += [line for line in (folder / name).read_text().splitlines() if len(line) > 20 and "KEY" not in line]
    assert len(secrets) >= 5
    api = f"qconnect/api/sessions/{job_id}"
    told = [
        server.request("GET", path).body.decode() for path in (api, f"{api}/log", f"{api}/script", "qconnect/api/apps")
    ]
    told += [server.log, json.dumps(server.sessions()), server.request("GET", f"qconnect/{job_id}/").body.decode()]
    for path in folder.glob("*.log"):
        told.append(path.read_text(errors="replace"))
    assert not [secret for secret in secrets for text in told if secret in text]
    server.end(job_id)
