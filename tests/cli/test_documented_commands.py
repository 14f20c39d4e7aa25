"""Commands of the documentation that change nothing, run as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.doc_blocks import blocks

HARMLESS = ("--script", "--doctor", "--apps")
"""What prints and changes nothing."""
LINES = sorted(
    {
        command
        for block in blocks("bash", "console")
        for command in block.commands()
        if command.startswith("qconnect ") and any(option in command.split() for option in HARMLESS)
    }
)


@pytest.mark.parametrize("command", LINES)
def test_a_command_of_the_documentation_prints_what_it_should(command: str, tmp_path: Path) -> None:
    env = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    settings = "c.QConnect.scheduler = 'local'\n"
    (tmp_path / ".jupyter").mkdir()
    (tmp_path / ".jupyter/jupyter_server_config.py").write_text(settings, encoding="utf-8")
    done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout, done.stderr
    assert done.returncode in ({0, 5} if "--doctor" in command else {0}), done.stderr


def test_the_documentation_has_such_commands() -> None:
    assert len(LINES) >= 3, LINES
