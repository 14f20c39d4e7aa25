"""The viewer's heartbeat: a websocket that says how its session is, and who decides on the size."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import Awaitable
from contextlib import AbstractContextManager, suppress
from typing import Any, ClassVar

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.websocket import WebSocketMixin
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ..errors import BadRequest, QConnectError, UnknownApp
from ..http.base import QConnectHandler, answers
from ..proxy.activity import note_input
from ..transports.login_questions import Answer
from ..values.session import Session, SessionState
from .viewers import Owners

VIEWER_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
LOOK_S = 1.0
"""Seconds after which the session is looked at without a sign of change."""
MAX_MESSAGE = 4096


class LiveHandler(WebSocketMixin, WebSocketHandler, QConnectHandler):
    """The viewer's heartbeat: answers each message with the session, and speaks up when the session changes.

    The page sends `{"t": ms, "viewer": id, "client": bool, "focus": bool, "size": [w, h], "input": bool, "again": bool,
    "answer": {"key", "text"}}`; all but `t` may be missing, `input`: the user did something since the last one.
    It is answered with `{"t", "session", "client", "owner", "question", "trouble"}`: `client` says from where to load
    the display (`url`, `path` of the websocket, `sandbox`), `owner` which viewer decides on the size, and what size
    that is; `question` what the login to the node wants to know, to which `answer` (its text null: declined) is the
    reply; `trouble` why the display is not reached, until `again` asks for another try.
    """

    opens_websocket = True
    owners: ClassVar[dict[str, Owners]] = defaultdict(Owners)
    pushing: asyncio.Task[None] | None = None

    def check_origin(self, origin: str | None = None) -> bool:
        """The one rule, in place of Jupyter's for websockets."""
        return QConnectHandler.check_origin(self)

    # Execute, not read: it hands out tickets, and a ticket is the session's keyboard and mouse.
    @answers
    @ws_authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # its types break with an action
    async def get(self, job_id: str) -> None:
        self.session = await self.find_session(job_id)
        await self.site.clients.ready()
        opened: Awaitable[None] = super().get(job_id)
        await opened

    def open(self, *args: str, **kwargs: str) -> None:
        super().open(*args, **kwargs)
        self.viewer: str | None = None
        self.said = ""
        self.fitted: tuple[int, int] | None = None
        self.watch: AbstractContextManager[None] = self.site.sessions.watching()
        self.watch.__enter__()
        self.seats = self.owners[self.session.record.key]
        self.seats.join(self)
        self.pushing = asyncio.create_task(self._push())

    def on_close(self) -> None:
        if self.pushing is None:  # Tornado says so also of a websocket that was refused
            return
        self.pushing.cancel()
        self.watch.__exit__(None, None, None)
        self.seats.leave(self)
        if self.seats.empty:
            self.owners.pop(self.session.record.key, None)
        super().on_close()

    async def on_message(self, message: str | bytes) -> None:
        try:
            asked = json.loads(message) if len(message) <= MAX_MESSAGE else None
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict) or not VIEWER_ID.fullmatch(str(asked.get("viewer"))):
            self.close(1008, "not a heartbeat")
            return
        self.viewer = str(asked["viewer"])
        if asked.get("input") is True:
            note_input(self.settings)
        self._take_answer(asked.get("answer"))
        if asked.get("again") is True:
            self.site.troubles.clear(self.session.record.key)
            self.site.sessions.retry(self.session)
        self.seats.update(self, self.viewer, asked)
        await self._fit()
        await self._refresh()
        self._say(asked.get("t"), want=asked.get("client") is True)

    def _take_answer(self, given: Any) -> None:
        """Hands the user's answer to whoever asked; it is kept nowhere, and one that cannot be an answer declines."""
        if not isinstance(given, dict):
            return
        text, answer = given.get("text"), None
        with suppress(BadRequest):
            answer = Answer(text) if isinstance(text, str) else None
        self.site.questions.answer(str(given.get("key")), answer)

    async def _push(self) -> None:
        """Tells of a change as soon as it is seen, so that nothing waits for the next beat."""
        while True:
            signs = (
                asyncio.ensure_future(self.site.sessions.change(LOOK_S)),
                asyncio.ensure_future(self.seats.moved.wait()),
                asyncio.ensure_future(self.site.questions.changed.wait()),
            )
            try:
                await asyncio.wait(signs, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for sign in signs:
                    sign.cancel()
            await self._refresh()
            if self._gist() != self.said:
                self._say(None, want=False)

    async def _fit(self) -> None:
        """Lets a job that starts know the size of the window that waits for it, once per size."""
        owner = self.seats.owner
        waiting = self.session.connection is None and not self.session.state.final
        if waiting and owner and owner["size"] != self.fitted:
            self.fitted = owner["size"]
            await self.site.sessions.fit(self.session, *owner["size"])

    async def _refresh(self) -> None:
        """The session as it is now; one that was removed stays as it was last seen."""
        with suppress(QConnectError):
            self.session = await self.site.sessions.find(self.session.id)

    def _gist(self) -> str:
        """What the page must know at once: all but the running clock."""
        described = self.site.sessions.describe(self.session, self.base_url)
        described.pop("walltime_left")
        return json.dumps([described, self.seats.owner, self._question(), self._trouble()])

    def _question(self) -> dict[str, Any] | None:
        """What is asked about the way to the session's node, while it lives."""
        connection = self.session.connection
        found = self.site.questions.pending(connection.node) if connection and not self.session.state.final else None
        return found.to_json() if found else None

    def _trouble(self) -> dict[str, str] | None:
        found = self.site.troubles.of(self.session.record.key)
        return found.to_json() if found else None

    def _say(self, beat: Any, *, want: bool) -> None:
        self.said = self._gist()
        answer = {
            "t": beat,
            "session": self.site.sessions.describe(self.session, self.base_url),
            "client": self._client(want),
            "owner": self.seats.owner,
            "question": self._question(),
            "trouble": self._trouble(),
            "time": time.time(),
        }
        with suppress(WebSocketClosedError):
            self.write_message(json.dumps(answer))

    def _client(self, want: bool) -> dict[str, Any] | None:
        """Where the display's page is: this machine's client when it is the node's, else the node's own by ticket."""
        session, found, connection = self.session, None, self.session.connection
        here = f"{self.base_url}qconnect/"
        if self._speaks_vnc():
            found = None if session.state.final else self.site.clients.vnc
        elif connection and session.state is SessionState.READY:
            found = self.site.clients.for_version(connection.xpra)
            if found is None:
                return self._from_node(session, here) if want and self.viewer else None
        elif not session.state.final:
            found = self.site.clients.default()  # a guess, loaded while the job waits
        path = f"{here}{session.id}/ws/{self.viewer}"
        return {"url": here + found.url, "path": path, "sandbox": False} if found and self.viewer else None

    def _speaks_vnc(self) -> bool:
        """Whether the display is a VNC desktop; before the job has said so, whether its app makes one."""
        if self.session.connection:
            return self.session.connection.protocol == "rfb"
        with suppress(UnknownApp):
            return self.site.apps.get(self.session.record.app).kind == "vnc"
        return False

    def _from_node(self, session: Session, here: str) -> dict[str, Any]:
        """A ticket for one viewer of one run; its files run in an origin of their own."""
        run = session.connection.run if session.connection else ""
        ticket = self.site.tickets.issue(session.record.key, run, str(self.viewer))
        folder = f"{here}{session.id}/t/{ticket}/"
        return {"url": folder + "index.html", "path": f"{folder}ws/{self.viewer}", "sandbox": True}
