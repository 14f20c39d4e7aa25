"""What is done at a terminal is in the site's audit file, as it is when a browser does it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command_line import CommandLine


def test_a_start_and_a_stop_at_a_terminal_are_noted(tmp_path: Path) -> None:
    cli = CommandLine(tmp_path, local_max_running=1, audit_file="~/audit.jsonl")
    stranger = cli.stranger()
    try:
        assert cli.run("--app", "xterm", "-t", "0").returncode == 1
        job_id = cli.start("--app", "xterm")
        assert cli.run("--stop", job_id).returncode == 0
        noted = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    finally:
        cli.cancel(stranger)
        cli.close()
    deeds = [(line["event"], line["result"], line["job"], line["app"], line["from"]) for line in noted]
    assert deeds == [
        ("start", "bad-fields", None, "xterm", "terminal"),
        ("start", "done", job_id, "xterm", "terminal"),
        ("stop", "done", job_id, "xterm", "terminal"),
    ]
