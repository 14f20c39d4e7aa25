"""The pages that show one session, together: what they are told is found out once for all of them."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol

from ..errors import QConnectError
from ..http.base import QConnectHandler
from ..site import Site
from ..values.session import Session
from .viewers import Owners

LOOK_S = 1.0
"""Seconds after which the session is looked at without a sign of change."""
FRESH_S = 0.25
"""Seconds for which what is said of one session is said again: nothing but its clock moves meanwhile."""
AT_ONCE = 8
"""Pages that are told in one go; then whatever else waits for the event loop has its turn."""
News = dict[str, Any]


class Member(Protocol):
    """The websocket of one page."""

    def tell(self, news: str) -> None: ...


class Room:
    """One session, the pages that show it, and the one task that watches it for them."""

    def __init__(self, site: Site, session: Session, base_url: str) -> None:
        self.session, self.owners = session, Owners()
        self._site, self._base_url = site, base_url
        self._members: list[Member] = []
        self._fitted: tuple[int, int] | None = None
        self._described: tuple[Session, float, dict[str, Any]] | None = None
        self._written: tuple[News, str] | None = None
        self._watching: AbstractContextManager[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._members)

    def join(self, member: Member) -> None:
        """A page came; with the first one the session is watched."""
        self._members.append(member)
        self.owners.join(member)
        if self._task is None:
            self._watching = self._site.sessions.watching()
            self._watching.__enter__()
            self._task = asyncio.create_task(self._watch())

    def leave(self, member: Member) -> None:
        """A page went; with the last one the watch ends."""
        self._members.remove(member)
        self.owners.leave(member)
        if not self._members and self._task and self._watching:
            self._task.cancel()
            self._watching.__exit__(None, None, None)
            self._task = self._watching = None

    async def refresh(self) -> None:
        """The session as it is now; one that was removed stays as it was last seen."""
        with suppress(QConnectError):
            self.session = await self._site.sessions.find(self.session.id)

    async def fit(self) -> None:
        """Lets a job that starts know the size of the window that waits for it, once per size."""
        owner = self.owners.owner
        waiting = self.session.connection is None and not self.session.state.final
        if waiting and owner and owner["size"] != self._fitted:
            self._fitted = owner["size"]
            await self._site.sessions.fit(self.session, *owner["size"])

    def news(self) -> News:
        """What is the same for all pages."""
        connection, questions = self.session.connection, self._site.questions
        question = questions.pending(connection.node) if connection and not self.session.state.final else None
        trouble = self._site.troubles.of(self.session.record.key)
        return {
            "session": self._description(),
            "owner": self.owners.owner,
            "viewers": len(self),
            "question": question.to_json() if question else None,
            "trouble": trouble.to_json() if trouble else None,
        }

    def told(self) -> str:
        """The news as JSON, written once for all pages that are told the same."""
        news = self.news()
        if not self._written or self._written[0] != news:
            self._written = news, json.dumps(news)
        return self._written[1]

    def _description(self) -> dict[str, Any]:
        """The session as JSON, made once for the pages that ask within a moment."""
        now = time.monotonic()
        if not self._described or self._described[0] is not self.session or now - self._described[1] > FRESH_S:
            self._described = self.session, now, self._site.sessions.describe(self.session, self._base_url)
        return self._described[2]

    async def _watch(self) -> None:
        """Tells of a change as soon as it is seen, so that nothing waits for the next beat."""
        said = gist(self.news())
        while True:
            moved, asked = self.owners.moved, self._site.questions.changed  # what comes during the look is not missed
            await self.refresh()
            await self.fit()
            if gist(self.news()) != said:
                said = gist(self.news())
                await self._tell(self.told())
            signs = (
                asyncio.ensure_future(self._site.sessions.change(LOOK_S)),
                asyncio.ensure_future(moved.wait()),
                asyncio.ensure_future(asked.wait()),
            )
            try:
                await asyncio.wait(signs, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for sign in signs:
                    sign.cancel()

    async def _tell(self, news: str) -> None:
        for number, member in enumerate(list(self._members), 1):
            member.tell(news)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)


def gist(news: News) -> str:
    """What pages must know at once: all but the running clock."""
    session = {name: value for name, value in news["session"].items() if name != "walltime_left"}
    return json.dumps({**news, "session": session})


class Rooms:
    """The rooms of one server, and how many pages there are in them."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    def __len__(self) -> int:
        return sum(len(room) for room in self._rooms.values())

    def enter(self, member: Member, handler: QConnectHandler, session: Session) -> Room:
        """The session's room, with this page in it."""
        room = self._rooms.setdefault(session.record.key, Room(handler.site, session, handler.base_url))
        room.join(member)
        return room

    def leave(self, member: Member, room: Room) -> None:
        """The page has gone; an empty room goes as well."""
        room.leave(member)
        if not len(room):
            self._rooms.pop(room.session.record.key, None)
