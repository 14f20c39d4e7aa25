"""The viewer's heartbeat: a websocket that says how its session is, and who decides on the size."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, ClassVar

from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.websocket import WebSocketMixin
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ..errors import BadRequest, TooManyRequests, UnknownApp
from ..http.base import QConnectHandler, answers
from ..proxy.activity import note_input
from ..transports.login_questions import Answer
from ..values.app import App
from ..values.session import Session, SessionState
from .rooms import Room, Rooms

VIEWER_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
MAX_MESSAGE = 4096


class LiveHandler(WebSocketMixin, WebSocketHandler, QConnectHandler):
    """The viewer's heartbeat: answers each message with the session, and speaks up when the session changes.

    The page sends `{"t": ms, "viewer": id, "client": bool, "focus": bool, "size": [w, h], "input": bool, "again": bool,
    "answer": {"key", "text"}}`; all but `t` may be missing, `input`: the user did something since the last one.
    It is answered with `{"t", "session", "client", "owner", "viewers", "question", "trouble"}`: `client` says from
    where to load the display (`url`, `path` of the websocket, `sandbox`, `hold_keys`), `owner` which viewer decides on
    the size, and what size that is, `viewers` how many there are; `question` what the login to the node wants to know,
    to which `answer` (its text null: declined) is the reply; `trouble` why the display is not reached, until `again`
    asks for another try.
    """

    opens_websocket = True
    rooms: ClassVar[Rooms] = Rooms()
    room: Room | None = None

    def check_origin(self, origin: str | None = None) -> bool:
        """The one rule, in place of Jupyter's for websockets."""
        return QConnectHandler.check_origin(self)

    # Execute, not read: it hands out tickets, and a ticket is the session's keyboard and mouse.
    @answers
    @ws_authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # its types break with an action
    async def get(self, job_id: str) -> None:
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise BadRequest(self.site.fronts.no_upgrade(self.request), reason="no-upgrade")
        await self._admit(job_id)
        await self.site.clients.ready()
        opened: Awaitable[None] = super().get(job_id)
        await opened

    @answers
    @ws_authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # its types break with an action
    async def post(self, job_id: str) -> None:
        """Why a page gets no websocket, which browsers keep from it; 204: it may have one, if one gets here."""
        await self._admit(job_id)
        self.set_status(204)
        self.finish()

    async def _admit(self, job_id: str) -> None:
        """Finds the session; raises what speaks against one more websocket."""
        self.session = await self.find_session(job_id)
        most = self.site.settings.max_live_websockets
        if most and len(self.rooms) >= most:
            raise TooManyRequests(f"{most} pages show your sessions already. Close some of them, then reload this one.")

    def open(self, *args: str, **kwargs: str) -> None:
        super().open(*args, **kwargs)
        self.viewer: str | None = None
        self.app = self._app_of(
            self.session
        )  # once: a look at all app files takes as long as all else that a beat does
        self.room = self.rooms.enter(self, self, self.session)

    def on_close(self) -> None:
        if self.room is None:  # Tornado says so also of a websocket that was refused
            return
        self.rooms.leave(self, self.room)
        super().on_close()

    def on_message(self, message: str | bytes) -> None:
        try:
            asked = json.loads(message) if len(message) <= MAX_MESSAGE else None
        except (ValueError, RecursionError):
            asked = None
        if self.room is None or not isinstance(asked, dict) or not VIEWER_ID.fullmatch(str(asked.get("viewer"))):
            self.close(1008, "not a heartbeat")
            return
        self.viewer = str(asked["viewer"])
        if asked.get("input") is True:
            note_input(self.settings)
        self._take_answer(asked.get("answer"))
        if asked.get("again") is True:
            self.site.troubles.clear(self.session.record.key)
            self.site.sessions.retry(self.room.session)
        self.room.owners.update(self, self.viewer, asked)
        self._say(self.room.told(), asked.get("t"), want=asked.get("client") is True)

    def tell(self, news: str) -> None:
        """Something has changed: what all pages are told, as JSON."""
        self._say(news, None, want=False)

    def _take_answer(self, given: Any) -> None:
        """Hands the user's answer to whoever asked; it is kept nowhere, and one that cannot be an answer declines."""
        if not isinstance(given, dict):
            return
        text, answer = given.get("text"), None
        with suppress(BadRequest):
            answer = Answer(text) if isinstance(text, str) else None
        self.site.questions.answer(str(given.get("key")), answer)

    def _say(self, news: str, beat: Any, *, want: bool) -> None:
        """The news, and before it what is this page's own: the long part is written once for all pages."""
        if self.room is None:
            return
        own = json.dumps({"t": beat, "client": self._client(self.room.session, want), "time": time.time()})
        with suppress(WebSocketClosedError):
            self.write_message(f"{own[:-1]}, {news[1:]}")

    def _client(self, session: Session, want: bool) -> dict[str, Any] | None:
        """Where the display's page is: this machine's client when it is the node's, else the node's own by ticket."""
        found, connection = None, session.connection
        here = f"{self.base_url}qconnect/"
        if self._speaks_vnc(session):
            found = None if session.state.final else self.site.clients.vnc
        elif connection and session.state is SessionState.READY:
            found = self.site.clients.for_version(connection.xpra)
            if found is None:
                return self._from_node(session, here) if want and self.viewer else None
        elif not session.state.final:
            found = self.site.clients.default()  # a guess, loaded while the job waits
        path = f"{here}{session.id}/ws/{self.viewer}"
        return self._address(here + found.url, path, sandbox=False) if found and self.viewer else None

    def _address(self, url: str, path: str, *, sandbox: bool) -> dict[str, Any]:
        hold_keys = self.app is not None and self.app.hold_keys
        return {"url": url, "path": path, "sandbox": sandbox, "hold_keys": hold_keys}

    def _app_of(self, session: Session) -> App | None:
        """The session's app, unless it is gone."""
        with suppress(UnknownApp):
            return self.site.apps.get(session.record.app)
        return None

    def _speaks_vnc(self, session: Session) -> bool:
        """Whether the display is a VNC desktop; before the job has said so, whether its app makes one."""
        if session.connection:
            return session.connection.protocol == "rfb"
        return self.app is not None and self.app.kind == "vnc"

    def _from_node(self, session: Session, here: str) -> dict[str, Any]:
        """A ticket for one viewer of one run; its files run in an origin of their own."""
        run = session.connection.run if session.connection else ""
        ticket = self.site.tickets.issue(session.record.key, run, str(self.viewer))
        folder = f"{here}{session.id}/t/{ticket}/"
        return self._address(folder + "index.html", f"{folder}ws/{self.viewer}", sandbox=True)
