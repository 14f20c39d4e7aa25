"""A Jupyter server with our proxy and a node, each in a process of its own: what is measured is not who measures.

    python -m tests.proxy.served jupyter FOLDER     prints its port and token; then `free`, `held`, `none` on its input
                                                    block its loop for 200 ms each second, Python's lock free or held
    python -m tests.proxy.served node FOLDER        prints its port and socket; a browser's first byte says what it does

FOLDER is a session's, `<home>/sessions/<key>`.
"""

from __future__ import annotations

import ctypes
import json
import logging
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qconnect_web.sessions.store import Store
from qconnect_web.transports.endpoint import Endpoint
from qconnect_web.transports.local import LocalTransport
from qconnect_web.transports.tls import TlsTransport
from qconnect_web.values.session import Session
from tests.support.jupyter_here import Jupyter, Manager
from tests.support.node_server import NodeServer, switch

FRAME = 50 * 1024
FRAMES_PER_S = 30
MESSAGE = 100 * 1024 * 1024
STALL_S = 0.2
STALLS = {
    "free": lambda: time.sleep(STALL_S),
    "held": lambda: ctypes.PyDLL(None).usleep(int(STALL_S * 1e6)),  # PyDLL keeps the lock, CDLL would let it go
    "none": lambda: None,
}


def act(connection: socket.socket) -> None:
    """`f`: floods; `t`: 30 frames a second that begin with their time; `m`: 100 MiB; anything else: silence."""
    role = connection.recv(1)
    if role == b"f":
        while True:
            connection.sendall(bytes(256 * 1024))
    elif role == b"t":
        due = time.monotonic()
        while True:
            due += 1 / FRAMES_PER_S
            time.sleep(max(0.0, due - time.monotonic()))
            connection.sendall(struct.pack("d", time.monotonic()) + bytes(FRAME - 8))
    elif role == b"m":
        block = bytes(1024 * 1024)
        for _ in range(MESSAGE // len(block)):
            connection.sendall(block)
    while connection.recv(65536):
        pass


def lines() -> Iterator[str]:
    """What the test says, until it has enough."""
    for line in sys.stdin:
        yield line.strip()


class EitherWay(Manager):
    """Reaches a session by what it has published: a port behind TLS, or a unix socket."""

    async def endpoint(self, job_id: str, timeout: float) -> tuple[Session, Endpoint]:
        published = (await self.find(job_id)).connection
        self.transport = LocalTransport() if published and published.socket else TlsTransport()
        return await super().endpoint(job_id, timeout)


def serve_jupyter(folder: Path) -> None:
    """The server, quiet as a site's would be, without bounds on how many are open."""
    store = Store(folder.parent)
    jupyter = Jupyter(folder.parent.parent, EitherWay(store, TlsTransport()), most=0)
    jupyter.app.log.setLevel(logging.INFO)
    chosen = {"now": STALLS["none"]}

    def stall() -> None:
        chosen["now"]()
        jupyter.loop.call_later(1, stall)

    jupyter.loop.call_soon_threadsafe(stall)
    print(json.dumps({"port": jupyter.port, "token": jupyter.token}), flush=True)
    for line in lines():
        chosen["now"] = STALLS[line]
        print(json.dumps({}), flush=True)
    jupyter.close()


def serve_node(folder: Path) -> None:
    """The display of the session, behind the run's own certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.load_verify_locations(folder / "client.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    threading.stack_size(256 * 1024)
    node = NodeServer(switch(then=act), context)
    path = folder / "display.sock"
    NodeServer(switch(then=act), None, path)
    print(json.dumps({"port": node.port, "socket": str(path)}), flush=True)
    for _ in lines():
        pass


if __name__ == "__main__":
    what: dict[str, Any] = {"jupyter": serve_jupyter, "node": serve_node}
    what[sys.argv[1]](Path(sys.argv[2]))
