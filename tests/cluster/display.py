"""Whether a session's display answers, asked as the browser does: through Jupyter, by websocket."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.cluster.node import Node
from tests.cluster.server import ClusterServer
from tests.support.deadline import eventually

STARTING_S = 90
"""On a machine that does ten things at once."""


def shown(server: ClusterServer, session: str) -> ClientConnection:
    """The session's display, as a page has it."""
    url = f"{server.url}qconnect/{session}/ws/{secrets.token_hex(8)}".replace("http", "ws", 1)
    token = {"Authorization": f"token {server.token}"}
    binary = [Subprotocol("binary")]
    return connect(url, additional_headers=token, subprotocols=binary, open_timeout=30, close_timeout=1)


def answers(server: ClusterServer, session: str) -> bool:
    """Whether xpra took the websocket: the node was dialled and proved who it is."""
    try:
        with shown(server, session):
            return True
    except (OSError, WebSocketException, TimeoutError):
        return False


def opened(server: ClusterServer, app: str = "xterm", **body: Any) -> dict[str, Any]:
    """A session whose display answers."""
    session = server.wait_for(server.launch(app, **body)["id"], "READY", timeout=STARTING_S)
    eventually(lambda: answers(server, session["id"]), 10, "the display")
    return session


def connection(server: ClusterServer, session: dict[str, Any]) -> dict[str, Any]:
    """What the session's job wrote of where it is."""
    path = folder(server, session) / "connection.json"
    eventually(path.exists, 60, f"{path} (a job that runs again removes it first)")
    return written(path)


def written(path: Path) -> dict[str, Any]:
    """A file of the job: a line of JSON, and one with its checksum."""
    return dict(json.loads(path.read_text().splitlines()[0]))


def folder(server: ClusterServer, session: dict[str, Any]) -> Path:
    """The session's folder, seen from this machine."""
    root = server.users_home / ".local/share/qconnect/sessions"
    for path in root.iterdir():
        record = path / "session.json"
        if record.exists() and written(record).get("job_id") == session["id"]:
            return path
    raise AssertionError(f"no folder of session {session['id']}")


def end_of(server: ClusterServer, session: dict[str, Any]) -> dict[str, Any]:
    """What the session's job wrote of its end."""
    return written(folder(server, session) / "ended.json")


def opened_on(server: ClusterServer, node: Node, app: str = "xterm", **body: Any) -> dict[str, Any]:
    """A session on this node."""
    with server.cluster.closed(server.cluster.other(node)):
        session = opened(server, app, **body)
    assert session["job"]["node"] == node.name
    return session
