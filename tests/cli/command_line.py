"""A person at a terminal: `qconnect` in a home of its own, in a pipe or on a pseudo-terminal."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pexpect
from traitlets.config import Config

from qconnect_web.config import QConnect
from qconnect_web.schedulers.local.scheduler import LocalScheduler
from qconnect_web.site import build_sessions
from qconnect_web.values.job import JobSpec
from tests.support.deadline import eventually
from tests.support.servers import JupyterServer

QCONNECT = Path(sys.executable).parent / "qconnect"
ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>])")
SMALL = ("-m", "512MB", "--walltime", "00:20:00")
"""What the tests ask of the batch system."""
PROMPT = "home> "


class CommandLine:
    """`settings` are the site's (QConnect traits); everything lives below `home`."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.home = home
        self.settings = {"transport": "local", **settings}
        self.server = JupyterServer(home, config={"QConnect": self.settings})
        self.server.write_config()
        (home / ".profile").write_text(f"PS1='{PROMPT}'\nPATH=/usr/local/bin:/usr/bin:/bin\nunset HISTFILE\n")
        self._spawned: list[pexpect.spawn[str]] = []

    @property
    def sessions_dir(self) -> Path:
        return self.home / ".local/share/qconnect/sessions"

    @property
    def scheduler(self) -> LocalScheduler:
        return LocalScheduler(self.sessions_dir.parent / "local", max_running=4)

    def environment(self, **changed: str | None) -> dict[str, str]:
        """A login's; None takes a variable out."""
        found: dict[str, str | None] = {**self.server.environment(), "TERM": "xterm", "LANG": "C.UTF-8", **changed}
        found["PATH"] = changed.get("PATH") or f"{QCONNECT.parent}:/usr/local/bin:/usr/bin:/bin"
        return {name: value for name, value in found.items() if value is not None}

    def run(self, *argv: str, stdin: str = "", **env: str | None) -> subprocess.CompletedProcess[str]:
        """`qconnect argv` in a pipe."""
        return subprocess.run(
            [str(QCONNECT), *argv],
            env=self.environment(**env),
            cwd=self.home,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def spawn(self, *argv: str, size: tuple[int, int] = (30, 100), **env: str | None) -> pexpect.spawn[str]:
        """`qconnect argv` on a pseudo-terminal of `size` (rows, columns)."""
        child = pexpect.spawn(
            str(QCONNECT),
            list(argv),
            env=self.environment(**env),
            cwd=str(self.home),
            dimensions=size,
            encoding="utf-8",
            codec_errors="replace",
            timeout=40,
        )
        self._spawned.append(child)
        return child

    def start(self, *argv: str) -> str:
        """A new session, started from a pipe; returns its id."""
        done = self.run(*argv, *SMALL, "--create", "--json")
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout)[0]["id"])

    def ready(self, *argv: str) -> str:
        """A new session that is READY; returns its id."""
        done = self.run(*argv, *SMALL, "--create", "--json", "--wait")
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout)[0]["id"])

    def sessions(self) -> list[dict[str, Any]]:
        """All sessions as JSON, also those that ended: what `qconnect --all --json` prints, by the same means."""
        return asyncio.run(self._sessions())

    async def _sessions(self) -> list[dict[str, Any]]:
        folder = str(self.sessions_dir)
        site = QConnect(config=Config({"QConnect": {"scheduler": "local", "sessions_dir": folder, **self.settings}}))
        manager = build_sessions(site)
        await manager.open()
        try:
            await manager.refresh()
            return [manager.describe(session, "/") for session in await manager.list()]
        finally:
            await manager.close()

    def state(self, job_id: str) -> str:
        return str(next(session["state"] for session in self.sessions() if session["id"] == job_id))

    def await_state(self, job_id: str, *states: str) -> None:
        eventually(lambda: self.state(job_id) in states, 30, f"{job_id} {states}")

    def written(self, job_id: str, name: str) -> tuple[Path, dict[str, Any]]:
        """A file that the session's job wrote, and what it says."""
        for path in self.sessions_dir.glob(f"*/{name}"):
            found: dict[str, Any] = json.loads(path.read_text().splitlines()[0])
            if found["job"] == job_id:
                return path, found
        raise AssertionError(f"{job_id} has written no {name}")

    def connection(self, job_id: str) -> dict[str, Any]:
        """What the session's job published."""
        return self.written(job_id, "connection.json")[1]

    def stranger(self, name: str = "stranger") -> str:
        """A job of the user's that is no session, and does nothing for long; returns its id."""
        spec = JobSpec(name, memory="64MB", walltime="00:20:00")
        script = "#!/bin/bash\nexec sleep 1000\n"
        return asyncio.run(self.scheduler.submit(script, spec, session="", folder=self.home))

    def cancel(self, job_id: str) -> None:
        asyncio.run(self.scheduler.cancel(job_id))

    def hold(self, job_id: str) -> None:
        asyncio.run(self.scheduler.hold(job_id))

    def submissions(self) -> int:
        """How many jobs were ever submitted."""
        return len(self.sessions())

    def close(self) -> None:
        for child in self._spawned:
            with suppress(pexpect.ExceptionPexpect, OSError):
                child.close(force=True)
        self.server.close()


def plain(text: str | None) -> str:
    """The text without what moves cursors and colours letters."""
    return ESCAPES.sub("", text or "").replace("\r", "")


def finish(child: pexpect.spawn[str]) -> tuple[int | None, str]:
    """The exit status of a command that ends, and what it printed since the last match."""
    child.expect(pexpect.EOF)
    text = plain(child.before)
    child.close()
    return child.exitstatus, text


def in_shell(child: pexpect.spawn[str], line: str, wanted: str) -> None:
    """Types a line into an attached shell, and waits for its effect."""
    child.expect_exact(PROMPT)
    child.sendline(line)
    child.expect(wanted)


def detach(child: pexpect.spawn[str]) -> tuple[int | None, str]:
    """Ctrl-b d."""
    child.send("\x02")
    child.send("d")
    return finish(child)


def cpu_of(argv: list[str], env: dict[str, str]) -> float:
    """Processor seconds that a command takes, its own and its children's."""
    before = os.times()
    subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=True)
    after = os.times()
    return (after.children_user + after.children_system) - (before.children_user + before.children_system)
