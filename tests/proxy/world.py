"""A session as a job leaves it, the node it runs on, and a Jupyter server with our proxy in front: all real, all here.

The node's side is a small server that records every application byte it gets; the manager is the smallest thing that
answers `find` and `endpoint` from a session folder, through the real store and transport.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import logging
import os
import secrets
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from jupyter_server.serverapp import ServerApp
from tornado.httpserver import HTTPServer

from qconnect_web import proxy
from qconnect_web.clients import xpra
from qconnect_web.errors import UnknownSession
from qconnect_web.private_files import seal
from qconnect_web.proxy.failures import Troubles
from qconnect_web.proxy.log_limit import Quiet
from qconnect_web.proxy.places import Places
from qconnect_web.proxy.relay_client import Relay
from qconnect_web.proxy.tickets import Tickets
from qconnect_web.relay.pinned_tls import fingerprint_of
from qconnect_web.sessions.store import Store
from qconnect_web.transports.endpoint import Endpoint
from qconnect_web.transports.keys import SERVER_NAME
from qconnect_web.transports.local import LocalTransport
from qconnect_web.transports.tls import TlsTransport
from qconnect_web.values.job import Job, JobSpec, JobState
from qconnect_web.values.session import Connection, Record, Session
from tests.support.deadline import eventually

BASE = "/a%40b/"
VIEWER = "viewer-0001"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # the pair of RFC 6455, section 1.3
Speak = Callable[[socket.socket, bytes], None]


def make_pair(name: str = SERVER_NAME, usage: Any = ExtendedKeyUsageOID.SERVER_AUTH) -> tuple[bytes, bytes]:
    """A self-signed certificate and its key as a job makes them (EC P-256, no CA, backdated), both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=25))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


def write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)


@dataclass
class Run:
    """One session's folder with one run's keys in it."""

    store: Store
    key: str
    job_id: str
    run: str = field(default_factory=lambda: str(uuid.uuid4()))
    fingerprint: str = ""

    @property
    def folder(self) -> Path:
        return self.store.folder(self.key)

    def keys(self) -> Run:
        """New keys of a new run, as the job makes them first of all."""
        self.run = str(uuid.uuid4())
        server, client = make_pair(), make_pair("qconnect-client", ExtendedKeyUsageOID.CLIENT_AUTH)
        for name, (certificate, private) in {"server": server, "client": client}.items():
            write_private(self.folder / f"{name}.pem", certificate)
            write_private(self.folder / f"{name}.key", private)
        self.fingerprint = fingerprint_of(ssl.PEM_cert_to_DER_cert(server[0].decode()))
        write_private(self.folder / "run", self.run.encode() + b"\n")
        return self

    def server_context(self) -> ssl.SSLContext:
        """What xpra is told to do: show the server's key, demand the client's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        context.load_verify_locations(self.folder / "client.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def publish(self, *, port: int | None = None, path: Path | None = None, node: str = "localhost") -> Run:
        """What the job writes last."""
        found = Connection(
            run=self.run,
            job=self.job_id,
            node=node,
            port=port,
            socket=str(path) if path else None,
            display=":17",
            xpra="3.1.3",
            fingerprint=self.fingerprint,
            time=time.time(),
        )
        write_private(self.folder / "connection.json", seal(vars(found)))
        return self


def new_run(store: Store, job_id: str = "17.local") -> Run:
    """A session in a folder of its own, submitted and started."""
    record = Record(
        key=secrets.token_hex(8),
        app="xterm",
        title="XTerm",
        spec=JobSpec(name="xterm"),
        command=("xterm",),
        created=time.time(),
        job_id=job_id,
    )
    assert store.create(record)
    return Run(store, record.key, job_id).keys()


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

    async def endpoint(self, job_id: str, timeout: float) -> tuple[Session, Endpoint]:
        if self.hold:
            await asyncio.wait_for(self.hold.wait(), timeout)
        if self.raises:
            raise self.raises
        session = await self.find(job_id)
        assert session.connection
        folder = self.store.folder(session.record.key)
        return session, await self.transport.endpoint(session, session.connection, folder)


class Node:
    """A server on a node: TLS, plain or a unix socket; keeps what it hears, byte for byte, and says what it is told."""

    def __init__(self, speak: Speak, context: ssl.SSLContext | None, path: Path | None = None) -> None:
        self.speak, self.context = speak, context
        self.heard: list[bytearray] = []
        self.dials = 0
        self.errors: list[str] = []
        if path is None:
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.port = self.listener.getsockname()[1]
        else:
            self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.listener.bind(str(path))
            path.chmod(0o600)
            self.listener.listen()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def bytes_heard(self) -> bytes:
        return b"".join(self.heard)

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            self.dials += 1
            thread = threading.Thread(target=self._serve, args=(plain,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        heard = bytearray()
        self.heard.append(heard)
        connection = plain
        plain.settimeout(20)
        try:
            if self.context:
                connection = self.context.wrap_socket(plain, server_side=True)
            self._open.append(connection)
            while b"\r\n\r\n" not in heard and (got := connection.recv(65536)):
                heard += got
            if b"\r\n\r\n" in heard:
                self.speak(connection, bytes(heard))
        except OSError as error:
            self.errors.append(repr(error))
        finally:
            connection.close()

    def close(self) -> None:
        # shutdown wakes a thread that waits in accept; close alone does not
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self._open:
            if connection.fileno() >= 0:
                connection.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()


def http_answer(body: bytes = b"ok", headers: str = "", status: str = "200 OK", kind: str = "text/javascript") -> Speak:
    """Answers one request as xpra does: HTTP/1.0, then the end."""
    head = f"HTTP/1.0 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"

    def speak(connection: socket.socket, heard: bytes) -> None:
        connection.sendall(head.encode() + (b"" if heard.startswith(b"HEAD") else body))

    return speak


def switch(extra: str = "", first: bytes = b"", then: Callable[[socket.socket], None] | None = None) -> Speak:
    """Answers 101, with its first bytes in the same segment; then echoes, or does what it is told."""
    upgrade = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {ACCEPT}\r\n"
    head = f"HTTP/1.1 101 OK\r\n{upgrade}{extra}\r\n"

    def speak(connection: socket.socket, heard: bytes) -> None:
        connection.sendall(head.encode() + first)
        (then or echo)(connection)

    return speak


def display(file: Speak | None = None, websocket: Speak | None = None) -> Speak:
    """Files and websockets on one port, as xpra has them."""

    def speak(connection: socket.socket, heard: bytes) -> None:
        wanted = (websocket or switch()) if b"upgrade: websocket" in heard.lower() else (file or http_answer())
        wanted(connection, heard)

    return speak


def echo(connection: socket.socket) -> None:
    """Says what it hears until it hears no more."""
    while got := connection.recv(65536):
        connection.sendall(got)


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
            clients=xpra.Clients([]),
            places=Places(app.log, Relay(app.log), most=self.most, per_minute=0),
            troubles=Troubles(),
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

    def ask(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
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
class Answer:
    """An HTTP answer as it came."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @classmethod
    def of(cls, content: bytes) -> Answer:
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

    def answer(self, *, body: bool = True) -> Answer:
        """The answer to a request; after a 101, what follows stays to be received."""
        content = bytearray()
        while b"\r\n\r\n" not in content and (got := self.connection.recv(65536)):
            content += got
        found = Answer.of(bytes(content))
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
