"""What happens between an intent and a job when the disk does not play along."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest
from traitlets.config import Config

from qconnect_web import jobs
from qconnect_web.config import QConnect
from qconnect_web.errors import TooManyRequests
from qconnect_web.limits import Allowance, Limits
from qconnect_web.models import Record, Session
from qconnect_web.sessions import SessionManager
from qconnect_web.store import Store


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
    monkeypatch.setattr("qconnect_web.config.Store", FullDisk)
    monkeypatch.setattr(jobs, "PENDING_INTERVAL", 0.2)
    monkeypatch.setattr(jobs, "READY_INTERVAL", 0.2)
    settings = {"scheduler": "local", "sessions_dir": str(tmp_path / "sessions")}
    return QConnect(config=Config(QConnect=settings)).build().sessions


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
    assert "`startxfce4`" in (asyncio.run(sessions.unavailable(app)) or "")
    xstartup = tmp_path / ".vnc/xstartup"
    xstartup.parent.mkdir()
    xstartup.touch(0o600)
    assert asyncio.run(sessions.unavailable(app))
    xstartup.chmod(0o700)
    assert asyncio.run(sessions.unavailable(app)) is None


def test_the_31st_start_within_a_minute_is_refused() -> None:
    allowance = Allowance(Limits())
    for _ in range(30):
        allowance.take(0)
    with pytest.raises(TooManyRequests, match="Wait a minute"):
        allowance.take(0)
