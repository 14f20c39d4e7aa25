"""A Jupyter server in this process with our proxy in front, and the browser's end of its connections: all real.

The manager is the smallest thing that answers `find` and `endpoint` from a session folder, through the real store and
transport.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from jupyter_server.serverapp import ServerApp
from tornado.httpserver import HTTPServer

from qconnect_web import proxy
from qconnect_web.clients import xpra
from qconnect_web.config import QConnect
from qconnect_web.errors import UnknownSession
from qconnect_web.http.fronts import Fronts
from qconnect_web.proxy.failures import Troubles
from qconnect_web.proxy.log_limit import Quiet
from qconnect_web.proxy.places import Places
from qconnect_web.proxy.relay_client import Relay
from qconnect_web.proxy.tickets import Tickets
from qconnect_web.sessions.audit import Audit
from qconnect_web.sessions.store import Store
from qconnect_web.transports.endpoint import Endpoint
from qconnect_web.transports.local import LocalTransport
from qconnect_web.transports.tls import TlsTransport
from qconnect_web.values.job import Job, JobState
from qconnect_web.values.session import Session
from tests.support.deadline import eventually
from tests.support.node_server import KEY

BASE = "/a%40b/"
VIEWER = "viewer-0001"


class Manager:
    """Answers from the session folders; every job in them is running."""

    def __init__(self, store: Store, transport: TlsTransport | LocalTransport) -> None:
        self.store, self.transport = store, transport
        self.hold: asyncio.Event | None = None
        self.raises: Exception | None = None
        self.told: list[str] = []

    def lost(self, session: Session) -> None:
        self.told.append("lost")

    def reached(self, session: Session) -> None:
        self.told.append("reached")

    async def find(self, job_id: str) -> Session:
        for key in sorted(path.name for path in self.store.root.iterdir()):
            facts = self.store.read(key)
            if facts and facts.record.job_id in (job_id, f"{job_id}.local"):
                assert facts.record.job_id
                job = Job(facts.record.job_id, JobState.RUNNING)
                return Session(facts.record, job, facts.connection, facts.end)
        raise UnknownSession(f"There is no session {job_id}.")

    async def list(self) -> list[Session]:
        return []

    async def endpoint(self, job_id: str, timeout: float) -> tuple[Session, Endpoint]:
        if self.hold:
            await asyncio.wait_for(self.hold.wait(), timeout)
        if self.raises:
            raise self.raises
        session = await self.find(job_id)
        assert session.connection
        folder = self.store.folder(session.record.key)
        return session, await self.transport.endpoint(session, session.connection, folder)


@contextmanager
def at_home(home: Path) -> Iterator[None]:
    """Has Jupyter live in a folder of its own, without anybody's settings."""
    names = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    with mock.patch.dict(os.environ, {**dict.fromkeys(names, str(home)), "JUPYTER_NO_CONFIG": "1"}):
        yield


class Jupyter:
    """A Jupyter server in this process, on a loop of its own, with nothing but our proxy added."""

    def __init__(self, root: Path, manager: Manager, most: int = 16) -> None:
        self.manager, self.tickets, self.most = manager, Tickets(), most
        self.token = secrets.token_hex(16)
        self.logged: list[str] = []
        self.loop = asyncio.new_event_loop()
        self.app: Any = self.loop.run_until_complete(self._start(root))
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    async def _start(self, root: Path) -> Any:
        app: Any = ServerApp(
            token=self.token, root_dir=str(root), base_url=BASE, open_browser=False, log_level=logging.DEBUG
        )
        app.init_signal = lambda: None
        app.initialize(argv=[], find_extensions=False, new_httpserver=False)
        patterns = [(f"{BASE}qconnect/{pattern}", kind) for pattern, kind in proxy.HANDLERS]
        app.web_app.settings["qconnect"] = SimpleNamespace(
            sessions=self.manager,
            tickets=self.tickets,
            hosts=frozenset(),
            settings=QConnect(),
            clients=xpra.Clients([]),
            places=Places(app.log, Relay(app.log), most=self.most, per_minute=0),
            troubles=Troubles(),
            audit=Audit(app.log),
            fronts=Fronts(app.log),
        )
        app.web_app.add_handlers(r".*$", patterns)
        app.log.addHandler(_Keep(self.logged))
        self.quiet = Quiet()
        self.quiet.guard(app.log)
        self.server = HTTPServer(app.web_app)
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self.server.add_socket(listener)
        return app

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.app.web_app.settings)

    @property
    def relay(self) -> Relay:
        found: Relay = self.settings["qconnect"].places.relay
        return found

    def run(self, work: Any) -> Any:
        """The result of a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def open_websockets(self) -> int:
        return len(self.settings["qconnect"].places)

    @cache  # noqa: B019 - one server lives as long as its test module
    def cookie(self) -> str:
        """The login cookie that a browser would have."""
        answer = self.ask(f"{BASE}api/status?token={self.token}")
        return "; ".join(value.partition(";")[0] for name, value in answer.headers if name.lower() == "set-cookie")

    def ask(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> RawAnswer:
        """One request, written by hand, so that nothing normalises it."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            return Wire(connection).answer(body=method != "HEAD")

    def websocket(self, path: str, headers: dict[str, str] | None = None, early: bytes = b"") -> Wire:
        """A websocket's upgrade; `early` goes out with it."""
        given = {
            "Host": f"127.0.0.1:{self.port}",
            "Upgrade": "websocket",
            "Connection": "keep-alive, Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": KEY,
            **(headers or {}),
        }
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + early)
        return Wire(connection)

    def close(self) -> None:
        self.run(self.app.web_app.settings["qconnect"].places.close())
        self.quiet.release(self.app.log)
        self.server.stop()
        self.run(self.server.close_all_connections())
        self.run(self.app._cleanup())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self.loop.close()


@dataclass
class RawAnswer:
    """An HTTP answer as it came."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @classmethod
    def of(cls, content: bytes) -> RawAnswer:
        head, _, body = content.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        return cls(int(first.split()[1]), headers, body)

    @property
    def names(self) -> set[str]:
        return {name.lower() for name, _ in self.headers}

    def __getitem__(self, name: str) -> str:
        return ", ".join(value for found, value in self.headers if found.lower() == name.lower())

    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """The browser's end of a websocket, as bytes."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.rest = b""

    def answer(self, *, body: bool = True) -> RawAnswer:
        """The answer to a request; after a 101, what follows stays to be received."""
        content = bytearray()
        while b"\r\n\r\n" not in content and (got := self.connection.recv(65536)):
            content += got
        found = RawAnswer.of(bytes(content))
        if found.status == 101:
            self.rest = found.body
            return found
        while body and len(found.body) < int(found["Content-Length"] or 0) and (got := self.connection.recv(65536)):
            found.body += got
        return found

    def receive(self, size: int) -> bytes:
        """Exactly so many bytes, or fewer at the end."""
        content = bytearray(self.rest[:size])
        self.rest = self.rest[size:]
        while len(content) < size and (got := self.connection.recv(min(65536, size - len(content)))):
            content += got
        return bytes(content)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


class _Keep(logging.Handler):
    def __init__(self, kept: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(record.getMessage())


def resident_kb(pid: int | str = "self") -> int:
    """The memory that a process holds, this one for a start."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def settle(jupyter: Jupyter) -> None:
    """Waits until no websocket is open any more."""
    eventually(lambda: jupyter.open_websockets() == 0, what="all websockets closed")
