"""What happens between an intent and a job when the disk does not play along."""

from __future__ import annotations

import asyncio
import errno
import re
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from qconnect_web.config import QConnect
from qconnect_web.errors import TooManyRequests
from qconnect_web.schedulers import More, Queue
from qconnect_web.schedulers.local.scheduler import LocalScheduler
from qconnect_web.sessions import timings
from qconnect_web.sessions.limits import Allowance
from qconnect_web.sessions.manager import SessionManager
from qconnect_web.sessions.store import Store
from qconnect_web.site import build, build_sessions
from qconnect_web.values.session import Record, Session
from tests.sessions.defaults import limits

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("programs_named")]


class FullDisk(Store):
    """A store that has no room for the first records with a job id."""

    failures = 3

    def write(self, record: Record) -> None:
        if record.job_id and self.failures:
            self.failures -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(record)


@pytest.fixture
def sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SessionManager:
    monkeypatch.setattr("qconnect_web.site.Store", FullDisk)
    monkeypatch.setattr(timings, "PENDING_INTERVAL", 0.2)
    monkeypatch.setattr(timings, "READY_INTERVAL", 0.2)
    settings = {"scheduler": "local", "sessions_dir": str(tmp_path / "sessions")}
    return build(QConnect(config=Config(QConnect=settings))).sessions


async def start_and_stop(sessions: SessionManager, root: Path) -> tuple[Session, list[Session], str | None]:
    """A started session, the list right after that, and the job id that its record has in the end."""
    await sessions.open()
    try:
        started = await sessions.start("xterm", {})
        listed = await sessions.list()
        with sessions.watching():
            for _ in range(100):
                facts = Store(root).read(started.record.key)
                if facts and facts.record.job_id:
                    break
                await sessions.change(0.1)
        await sessions.stop(started.id)
        with sessions.watching():
            for _ in range(100):
                if (await sessions.find(started.id)).state.final:
                    break
                await sessions.change(0.1)
        return started, listed, facts.record.job_id if facts else None
    finally:
        await sessions.close()


def test_a_job_id_that_cannot_be_written_is_not_lost(sessions: SessionManager, tmp_path: Path) -> None:
    started, listed, written = asyncio.run(start_and_stop(sessions, tmp_path / "sessions"))
    assert [session.id for session in listed] == [started.id]
    assert written == started.id


def test_a_vnc_desktop_of_the_users_own_needs_none_of_the_apps_programs(
    sessions: SessionManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    app = sessions.apps.get("vnc")
    assert re.search("`startxfce4`.*~/.vnc/xstartup", asyncio.run(sessions.unavailable(app)) or "")
    xstartup = tmp_path / ".vnc/xstartup"
    xstartup.parent.mkdir()
    xstartup.touch(0o600)
    assert asyncio.run(sessions.unavailable(app))
    xstartup.chmod(0o700)
    assert asyncio.run(sessions.unavailable(app)) is None


def test_the_31st_start_within_a_minute_is_refused() -> None:
    allowance = Allowance(limits())
    for _ in range(30):
        allowance.take(0)
    with pytest.raises(TooManyRequests, match="Wait a minute"):
        allowance.take(0)


@pytest.mark.parametrize(
    ("memory_per_core", "app", "asked", "memory"),
    [
        (3, "tmux", {}, "4GB"),  # what the app's file says of the cores that it asks for
        (3, "tmux", {"cores": 3}, "9GB"),
        (3, "tmux", {"cores": 3, "memory": "1GB"}, "1GB"),
        (None, "tmux", {"cores": 3}, "12GB"),  # the queue does not say: in proportion
        (3, "plain", {}, "3GB"),
        (3, "plain", {"cores": 2}, "6GB"),
        (None, "plain", {"cores": 2}, "2GB"),
        (3, "small", {"cores": 4}, "5GB"),
        (3, "fixed", {"cores": 4}, "4GB"),
    ],
)
def test_memory_that_was_not_given_grows_with_the_cores(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    memory_per_core: int | None,
    app: str,
    asked: dict[str, Any],
    memory: str,
) -> None:
    """As `qconnect -t N` did, by what the queue has for each core."""

    async def told(scheduler: LocalScheduler, more: More) -> list[Queue]:
        return [Queue("local", default=True, memory_per_core=memory_per_core and memory_per_core << 30)]

    monkeypatch.setattr(LocalScheduler, "queues", told)
    own = tmp_path / "apps"
    own.mkdir()
    (own / "plain.yaml").write_text("title: Plain\nkind: terminal\ncommand: [bash]\n")
    for name, form in (("small", "{max: 5GB}"), ("fixed", "false")):
        rest = f"resources: {{memory: 4GB}}\nform: {{memory: {form}}}\n"
        (own / f"{name}.yaml").write_text(f"title: T\nkind: terminal\ncommand: [bash]\n{rest}")
    settings = {"scheduler": "local", "sessions_dir": str(tmp_path / "sessions"), "apps_dirs": [str(own)]}
    sessions = build_sessions(QConnect(config=Config(QConnect=settings)))
    assert f"\n#PBS -l mem={memory}\n" in asyncio.run(sessions.preview(app, asked))
