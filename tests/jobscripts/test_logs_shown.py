"""What real xpra writes of our own probes: nothing that alarms whoever reads the session's log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qconnect_web.sessions.describe import without_noise
from tests.support.deadline import eventually
from tests.support.script_run import ScriptRun, app, ask, client_context


@pytest.mark.parametrize("stranger", ["10.0.0.5", "::ffff:10.0.0.5", "fd77::5"])
def test_the_jobs_own_probes_are_no_errors_in_the_log_as_shown(tmp_path: Path, stranger: str) -> None:
    run = ScriptRun(tmp_path)
    with run.by_hand(app()):
        port = run.ready()["port"]
        assert ask(port, client_context(run.folder, run.folder / "client.pem"))
        probes = run.text("job.log").partition("without and plain ")[2].splitlines()[0].split()
        eventually(lambda: run.text("xpra.log").count("Error: ") == len(probes), 20, "the refusals")
        eventually(lambda: "system memory" in run.text("xpra.log"), 20, "all that xpra says of its start")
        whole = run.text("xpra.log")
    shown = without_noise(whole)
    assert "Error" not in shown
    assert "SSL" not in shown
    kept = [line for line in whole.splitlines() if "ready" in line or "created ssl" in line or "memory" in line]
    assert len(kept) == 3
    assert set(kept) < set(shown.splitlines())
    assert "Error" in without_noise(re.sub(r"(::ffff:)?127\.0\.0\.1,", f"{stranger},", whole))
