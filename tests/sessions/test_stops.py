"""A stop that the batch system did not take is told, gives its button back, and is sent again by itself."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from qconnect_web.apps.catalogue import Catalogue
from qconnect_web.errors import NotReady, SchedulerFailed, SchedulerUnavailable
from qconnect_web.private_files import seal
from qconnect_web.sessions import timings
from qconnect_web.sessions.clock import now
from qconnect_web.sessions.manager import SessionManager
from qconnect_web.sessions.store import Store
from qconnect_web.transports.local import LocalTransport
from qconnect_web.values.job import Job, JobState
from qconnect_web.values.session import FORGOTTEN, Session, SessionState
from tests.sessions.defaults import limits
from tests.sessions.test_jobs import Scripted, jump
from tests.sessions.test_store import CONNECTION, RECORD

pytestmark = pytest.mark.unit
AWAY = SchedulerFailed("The batch system did not end the job. It says: qdel: Server could not connect to MOM 1.s")


class Stubborn(Scripted):
    """A batch system that refuses to end a job for as long as it has a reason to."""

    def __init__(self) -> None:
        super().__init__()
        self.cheap = False
        self.refusal: SchedulerFailed | None = AWAY
        self.cancelled: list[str] = []

    async def cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)
        if self.refusal:
            raise self.refusal
        self.jobs.pop(job_id, None)


class Stopping:
    """One READY session, and the manager of its user; nothing goes on by itself."""

    def __init__(self, root: Path) -> None:
        self.scheduler = Stubborn()
        self.scheduler.jobs["1.s"] = Job("1.s", JobState.RUNNING, node="n1", starts=1)
        self.store = Store(root / "sessions")
        self.store.create(replace(RECORD, key="key1", job_id="1.s"))
        for name, told in (
            ("run", f"{CONNECTION.run}\n".encode()),
            ("connection.json", seal({**vars(CONNECTION), "job": "1.s"})),
        ):
            path = self.store.folder("key1") / name
            path.touch(0o600)
            path.write_bytes(told)
        self.manager = SessionManager(
            scheduler=self.scheduler,
            transport=LocalTransport(),
            store=self.store,
            apps=Catalogue([]),
            render=lambda app, record: "",
            limits=limits(),
            log=logging.getLogger("test"),
        )
        self.poll = self.manager._poll
        self.poll.looked.set()

    def answer(self) -> None:
        """The folders are looked at, and the batch system is asked."""
        asyncio.run(self.poll.look())
        self.poll._cache.budget.hurry(now())
        asyncio.run(self.poll._ask())
        asyncio.run(self.poll.look())

    def session(self) -> Session:
        return asyncio.run(self.manager.find("1.s"))

    def state(self) -> tuple[SessionState, str | None]:
        return self.session().state, self.session().record.refused

    def stop(self) -> SessionState:
        return asyncio.run(self.manager.stop("1.s")).state

    def forget(self) -> None:
        asyncio.run(self.manager.forget("1.s"))


@pytest.fixture
def world(tmp_path: Path) -> Stopping:
    return Stopping(tmp_path)


def refused(world: Stopping) -> None:
    world.answer()
    with pytest.raises(SchedulerFailed):
        world.stop()


def test_a_stop_that_is_refused_is_told_and_can_be_tried_again(world: Stopping) -> None:
    refused(world)
    assert world.state() == (SessionState.READY, AWAY.message)
    described = world.manager.describe(world.session(), "/")
    assert "tried again by itself" in described["reason"]
    assert "could not connect to MOM" in described["reason"]
    world.scheduler.refusal = None
    assert world.stop() is SessionState.ENDING
    assert world.scheduler.cancelled == ["1.s", "1.s"]


def test_it_is_sent_again_when_the_node_is_back(world: Stopping, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(world)
    world.answer()
    assert len(world.scheduler.cancelled) == 1, "not at once"
    jump(monkeypatch, timings.STOP_STEP + 1)
    world.answer()
    assert len(world.scheduler.cancelled) == 2
    assert world.state() == (SessionState.READY, AWAY.message)
    world.scheduler.refusal = None
    jump(monkeypatch, 2 * timings.STOP_STEP + 1)
    world.answer()
    assert len(world.scheduler.cancelled) == 3
    assert world.state() == (SessionState.ENDING, None)
    assert world.poll._cache.budget.due_in(now()) <= 0, "its end is asked for"


def test_it_is_not_sent_while_the_batch_system_does_not_answer(
    world: Stopping, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.scheduler.refusal = SchedulerUnavailable("cannot connect to server")
    refused(world)
    world.scheduler.down = True
    for _ in range(3):
        jump(monkeypatch, 1000)
        world.answer()
    assert len(world.scheduler.cancelled) == 1
    world.scheduler.down, world.scheduler.refusal = False, None
    world.answer()
    assert len(world.scheduler.cancelled) == 2
    assert world.state() == (SessionState.ENDING, None)


def test_a_node_that_stays_away_is_asked_ever_more_rarely(world: Stopping, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(world)
    for _ in range(90):
        jump(monkeypatch, 60)
        asyncio.run(world.poll.stops.send_again(world.poll.known.live))
    assert 10 <= len(world.scheduler.cancelled) <= 14, "seven in the first 15 minutes, then one each 15"


def test_a_stop_that_was_taken_and_came_to_nothing_is_sent_again(
    world: Stopping, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.scheduler.refusal = None
    world.answer()
    assert world.stop() is SessionState.ENDING
    world.scheduler.jobs["1.s"] = Job("1.s", JobState.RUNNING, node="n1", starts=1)
    world.answer()
    assert len(world.scheduler.cancelled) == 1
    jump(monkeypatch, timings.STOP_WITHIN + 1)
    world.answer()
    assert len(world.scheduler.cancelled) == 2


def test_a_session_that_the_batch_system_only_forgot_is_stopped_all_the_same_and_not_removed_before(
    world: Stopping, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.answer()
    world.scheduler.jobs.clear()
    for _ in range(timings.MISSES):
        world.answer()
        jump(monkeypatch, timings.MISSING_FOR)
    session = world.session()
    assert (session.state, session.job.cause) == (SessionState.FAILED, FORGOTTEN)
    with pytest.raises(NotReady, match=r"may still run.*--stop 1\.s"):
        world.forget()
    jump(monkeypatch, 365 * 86400)
    assert [item.id for item in asyncio.run(world.manager.list())] == ["1.s"]
    with pytest.raises(SchedulerFailed):
        world.stop()
    with pytest.raises(NotReady, match="may still run"):
        world.forget()
    world.scheduler.refusal = None
    assert world.stop() is SessionState.ENDED
    assert world.scheduler.cancelled == ["1.s", "1.s"]
    world.forget()
    assert not world.store.folder("key1").exists()
