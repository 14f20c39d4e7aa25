"""The pages of one session are told together: what many of them cost grows with their number, and no faster."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from qconnect_web.pages.rooms import Room, Rooms
from qconnect_web.pages.viewers import Owners
from tests.support.deadline import aeventually

PAGES = 200


class Sessions:
    """One session that never changes; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.watchers = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        self.watchers += 1
        yield
        self.watchers -= 1

    async def change(self, timeout: float) -> None:
        await asyncio.sleep(timeout)

    async def find(self, job_id: str) -> Any:
        self.asked["find"] += 1
        return SESSION

    def describe(self, session: Any, base_url: str) -> dict[str, Any]:
        self.asked["describe"] += 1
        return {"id": "17.local", "walltime_left": 60}


RECORD, OVER = SimpleNamespace(key="0123456789abcdef"), SimpleNamespace(final=True)
SESSION = SimpleNamespace(id="17.local", connection=None, record=RECORD, state=OVER)


class Page:
    """A page that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def tell(self, news: str) -> None:
        self.told.append(json.loads(news))


def room_of(sessions: Sessions) -> Room:
    questions = SimpleNamespace(changed=asyncio.Event(), pending=lambda node: None)
    site: Any = SimpleNamespace(sessions=sessions, questions=questions, troubles=SimpleNamespace(of=lambda key: None))
    return Room(site, SESSION, "/")  # type: ignore[arg-type]  # all of a session that a room looks at


def test_a_change_of_focus_is_found_out_once_and_told_to_all() -> None:
    async def play() -> None:
        sessions, pages = Sessions(), [Page() for _ in range(PAGES)]
        room = room_of(sessions)
        for number, page in enumerate(pages):
            room.join(page)
            room.owners.update(page, f"viewer-{number}", {"size": [800, 600]})
        await aeventually(lambda: sessions.asked["describe"] > 0)
        sessions.asked.clear()
        room.owners.update(pages[7], "viewer-7", {"size": [640, 480], "focus": True})
        await aeventually(lambda: all(page.told for page in pages))
        assert {page.told[0]["owner"]["viewer"] for page in pages} == {"viewer-7"}
        assert max(sessions.asked.values()) <= 3
        for page in pages:
            room.leave(page)
        assert sessions.watchers == 0

    asyncio.run(play())


def test_others_have_their_turn_while_many_pages_are_told() -> None:
    async def play() -> None:
        room, turns = room_of(Sessions()), 0
        pages = [Page() for _ in range(PAGES)]
        for page in pages:
            room.join(page)
        await asyncio.sleep(0)  # now it is watched
        room.owners.update(pages[0], "viewer-0", {"size": [800, 600]})
        while not pages[-1].told:
            turns += bool(pages[0].told)
            await asyncio.sleep(0)
        assert turns >= 10
        for page in pages:
            room.leave(page)

    asyncio.run(asyncio.wait_for(play(), 20))


def test_a_heartbeat_that_says_nothing_new_costs_no_look_at_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    decided: Counter[str] = Counter()
    decide = Owners._decide
    monkeypatch.setattr(Owners, "_decide", lambda self: (decided.update(["times"]), decide(self)))
    owners = Owners()
    for number in range(PAGES):
        owners.join(number)
        owners.update(number, f"viewer-{number}", {"size": [800, 600]})
    decided.clear()
    for number in range(PAGES):
        owners.update(number, f"viewer-{number}", {"size": [800, 600]})
    assert decided["times"] == 0
    owners.update(9, "viewer-9", {"size": [800, 600], "focus": True})
    assert decided["times"] == 1
    assert owners.owner == {"viewer": "viewer-9", "size": (800, 600)}


def test_an_empty_room_goes() -> None:
    async def play() -> None:
        rooms, page, handler = Rooms(), Page(), SimpleNamespace(site=room_of(Sessions())._site, base_url="/")
        room = rooms.enter(page, handler, SESSION)  # type: ignore[arg-type]  # all of them that is looked at
        assert (len(rooms), rooms.enter(Page(), handler, SESSION) is room, len(rooms)) == (1, True, 2)  # type: ignore[arg-type]
        for member in list(room._members):
            rooms.leave(member, room)
        assert (len(rooms), rooms._rooms) == (0, {})

    asyncio.run(play())
