"""The websocket from end to end: held, proved, joined, bounded, and let go."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from qconnect_web.errors import IdentityMismatch, NotReady, UnknownSession, Unreachable
from qconnect_web.proxy import dial, websockets
from tests.support.deadline import eventually
from tests.support.jupyter_here import BASE, VIEWER, Jupyter, Wire, settle
from tests.support.node_server import ACCEPT, NodeServer, switch
from tests.support.session_run import Run

Doors = Callable[..., NodeServer]
MOST = 16
MIB = 1024 * 1024


def path(viewer: str = VIEWER) -> str:
    return f"{BASE}qconnect/17.local/ws/{viewer}"


def opened(jupyter: Jupyter, viewer: str = VIEWER, **more: Any) -> Wire:
    """An open websocket, authenticated as a page would be."""
    wire = jupyter.websocket(path(viewer), {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}, **more)
    assert wire.answer().status == 101
    return wire


def is_over(wire: Wire) -> bool:
    """Whether the other end has closed."""
    with suppress(ConnectionResetError):
        return wire.connection.recv(1) == b""
    return True


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# ------------------------------------------------------------------ the upgrade is held
def test_the_upgrade_waits_until_the_session_is_ready(jupyter: Jupyter, run: Run, node: Doors) -> None:
    found = node(switch())

    async def event() -> asyncio.Event:
        return asyncio.Event()

    jupyter.manager.hold = hold = jupyter.run(event())
    with jupyter.websocket(path(), {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}) as wire:
        eventually(lambda: jupyter.open_websockets() == 1, what="the request waits")
        assert found.dials == 0
        jupyter.loop.call_soon_threadsafe(hold.set)
        assert wire.answer().status == 101
        wire.connection.sendall(b"x")
        assert wire.receive(1) == b"x"
    settle(jupyter)


def test_a_browser_that_leaves_while_it_waits_leaves_nothing(jupyter: Jupyter, run: Run, node: Doors) -> None:
    found = node(switch())

    async def event() -> asyncio.Event:
        return asyncio.Event()

    jupyter.manager.hold = jupyter.run(event())
    before = descriptors()
    with jupyter.websocket(path(), {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}):
        eventually(lambda: jupyter.open_websockets() == 1, what="the request waits")
    settle(jupyter)
    eventually(lambda: descriptors() <= before, what="its descriptors closed")
    assert found.dials == 0


def test_the_wait_is_bounded(jupyter: Jupyter, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def event() -> asyncio.Event:
        return asyncio.Event()

    monkeypatch.setattr(websockets, "HOLD_S", 0.2)
    jupyter.manager.hold = jupyter.run(event())
    with jupyter.websocket(path(), {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}) as wire:
        answer = wire.answer()
    assert (answer.status, answer.json()["reason"]) == (504, "timeout")
    settle(jupyter)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownSession("There is no session."), 404),
        (NotReady("The session has ended.", reason="ended"), 409),
        (Unreachable("Nobody answers."), 502),
        (IdentityMismatch("Somebody else answers."), 502),
        (Unreachable("Too late.", reason="timeout"), 504),
    ],
)
def test_why_it_cannot_be_opened_is_said_in_json(jupyter: Jupyter, run: Run, error: Any, status: int) -> None:
    jupyter.manager.raises = error
    with jupyter.websocket(path(), {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}) as wire:
        answer = wire.answer()
    assert (answer.status, answer.json()) == (status, {"message": error.message, "reason": error.reason})
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"
    settle(jupyter)


# ------------------------------------------------------------------ a node that does not play its part
def says(answer: bytes) -> Callable[[socket.socket, bytes], None]:
    return lambda connection, heard: connection.sendall(answer)


UPGRADE = "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
REFUSALS = {
    "forbidden": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\n\r\n",
    "page": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "no-http": b"SSH-2.0-OpenSSH\r\n\r\n",
    "wrong-key": f"{UPGRADE}Sec-WebSocket-Accept: {'A' * 27}=\r\n\r\n".encode(),
    "no-key": f"{UPGRADE}\r\n".encode(),
    "not-websocket": f"HTTP/1.1 101 OK\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n".encode(),
    "protocol": f"{UPGRADE}Sec-WebSocket-Accept: {ACCEPT}\r\nSec-WebSocket-Protocol: other\r\n\r\n".encode(),
    "extension": f"{UPGRADE}Sec-WebSocket-Accept: {ACCEPT}\r\nSec-WebSocket-Extensions: x\r\n\r\n".encode(),
    "endless": UPGRADE.encode() + b"X-A: " + b"a" * 40_000,
    "silent-end": b"",
    "malformed": f"{UPGRADE}no colon here\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n".encode(),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_node_that_does_not_switch_is_a_502_before_any_101(
    jupyter: Jupyter, run: Run, node: Doors, kind: str
) -> None:
    node(says(REFUSALS[kind]))
    with jupyter.websocket(path(), {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}) as wire:
        answer = wire.answer()
    assert (answer.status, answer.json()["reason"]) == (502, "upgrade-refused")
    assert "evil" not in answer.json()["message"]
    settle(jupyter)


def test_a_node_that_does_not_answer_the_upgrade_times_out(
    jupyter: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "ANSWER_S", 0.3)
    node(lambda connection, heard: connection.recv(1))
    with jupyter.websocket(path(), {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}) as wire:
        answer = wire.answer()
    assert (answer.status, answer.json()["reason"]) == (504, "timeout")
    settle(jupyter)


# ------------------------------------------------------------------ bytes
def test_first_frames_in_the_segment_of_the_101_come_first_and_in_order(
    jupyter: Jupyter, run: Run, node: Doors, way: str
) -> None:
    first = bytes(range(256)) * 40
    node(switch(first=first))
    with opened(jupyter) as wire:
        wire.connection.sendall(b"and then")
        assert wire.receive(len(first) + 8) == first + b"and then"
    settle(jupyter)


def test_bytes_that_came_with_the_browsers_request_are_not_lost(
    jupyter: Jupyter, run: Run, node: Doors, way: str
) -> None:
    node(switch())
    with opened(jupyter, early=b"early bird") as wire:
        assert wire.receive(10) == b"early bird"
    settle(jupyter)


def test_a_node_that_ends_at_once_still_delivers_its_last_words(
    jupyter: Jupyter, run: Run, node: Doors, way: str
) -> None:
    for _ in range(10):  # the end may come before, while or after the browser is let go of
        node(switch(first=b"last words", then=lambda connection: None))
        with opened(jupyter) as wire:
            assert wire.receive(64) == b"last words"
        settle(jupyter)


def test_an_aborted_browser_is_noticed_by_the_node(jupyter: Jupyter, run: Run, node: Doors) -> None:
    over = threading.Event()

    def wait(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.recv(1)
        over.set()

    node(switch(then=wait))
    wire = opened(jupyter)
    wire.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.connection.close()
    assert over.wait(5)
    settle(jupyter)


def test_both_ends_are_tuned_for_small_messages_and_vanished_peers(
    jupyter: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int, int]] = []
    tune = dial.tune

    def watched(connection: socket.socket) -> None:
        tune(connection)
        tcp = socket.IPPROTO_TCP
        seen.append(
            (
                connection.getsockopt(tcp, socket.TCP_NODELAY),
                connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                connection.getsockopt(tcp, socket.TCP_USER_TIMEOUT),
            )
        )

    monkeypatch.setattr(dial, "tune", watched)
    monkeypatch.setattr(websockets, "tune", watched)
    node(switch())
    with opened(jupyter):
        assert [(bool(nodelay), bool(alive), limit) for nodelay, alive, limit in seen] == [(True, True, 60_000)] * 2
    settle(jupyter)


# ------------------------------------------------------------------ places
def test_a_newer_connection_of_the_same_viewer_closes_the_older(jupyter: Jupyter, run: Run, node: Doors) -> None:
    node(switch())
    with opened(jupyter) as old, opened(jupyter, "viewer-0002") as other, opened(jupyter) as new:
        assert is_over(old)
        for wire in (new, other):
            wire.connection.sendall(b"x")
            assert wire.receive(1) == b"x"
        assert jupyter.open_websockets() == 2
    settle(jupyter)
    assert any("a newer connection of the same viewer" in line for line in jupyter.logged)


def test_a_newer_request_ends_one_that_still_waits(jupyter: Jupyter, run: Run, node: Doors) -> None:
    node(switch())

    async def event() -> asyncio.Event:
        return asyncio.Event()

    jupyter.manager.hold = jupyter.run(event())
    headers = {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}
    with jupyter.websocket(path(), headers) as old:
        eventually(lambda: jupyter.open_websockets() == 1, what="the older request waits")
        with jupyter.websocket(path(), headers) as new:
            answer = old.answer()
            assert (answer.status, answer.json()["reason"]) == (409, "given-up")
            jupyter.loop.call_soon_threadsafe(jupyter.manager.hold.set)
            assert new.answer().status == 101
    settle(jupyter)


def test_a_session_has_a_bounded_number_of_places(jupyter: Jupyter, run: Run, node: Doors) -> None:
    found = node(switch())
    wires = [opened(jupyter, f"viewer-{number:04}") for number in range(MOST)]
    try:
        with jupyter.websocket(path("viewer-9999"), {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}) as wire:
            answer = wire.answer()
        assert (answer.status, answer.json()["reason"]) == (429, "too-many")
        assert found.dials == MOST
        again = opened(jupyter, "viewer-0003")  # who has a place keeps it
        again.connection.close()
    finally:
        for wire in wires:
            wire.connection.close()
    settle(jupyter)


def test_all_are_closed_when_the_server_stops(jupyter: Jupyter, run: Run, node: Doors) -> None:
    node(switch())
    with opened(jupyter) as one, opened(jupyter, "viewer-0002") as two:
        places = jupyter.app.web_app.settings["qconnect"].places
        jupyter.run(places.close())
        assert is_over(one)
        assert is_over(two)
    assert len(places) == 0


def test_one_line_is_logged_when_it_opens_and_one_when_it_closes(jupyter: Jupyter, run: Run, node: Doors) -> None:
    node(switch())
    jupyter.logged.clear()
    with opened(jupyter) as wire:
        wire.connection.sendall(b"secret words")
        assert wire.receive(12) == b"secret words"
    settle(jupyter)

    def told() -> list[str] | None:
        found = [line for line in jupyter.logged if line.startswith(("qconnect: open of", "qconnect: websocket"))]
        return found if len(found) == 2 else None

    lines = eventually(told, what="two lines")
    assert "open of session 17.local" in lines[0]
    assert "closed by the browser" in lines[1]
    assert "12 bytes up, 12 bytes down" in lines[1]
    assert jupyter.token not in "".join(lines)
    assert "secret" not in "".join(lines)


def test_a_display_that_hangs_up_or_cannot_be_reached_is_lost(
    jupyter: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(jupyter.manager, "told", told)
    found = node(switch())
    opened(jupyter).connection.close()
    settle(jupyter)
    assert told == ["reached"], "it was the browser that ended it"
    found.speak = switch(then=lambda connection: None)
    with opened(jupyter) as wire:
        assert is_over(wire)
    eventually(lambda: told == ["reached"] * 2 + ["lost"], what="the loss")
    monkeypatch.setattr(jupyter.manager, "raises", Unreachable("There is no way to the node."))
    with jupyter.websocket(path(), {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}) as wire:
        assert wire.answer().status == 502
    assert told[3:] == ["lost"]


def test_two_hundred_websockets_leave_no_descriptor_no_task_and_no_process(
    jupyter: Jupyter, run: Run, node: Doors
) -> None:
    node(switch())
    opened(jupyter).connection.close()  # the relay starts
    settle(jupyter)

    def held() -> tuple[int, int, int, int]:
        relay = jupyter.relay.pid
        assert relay
        tasks = jupyter.run(count_tasks())
        children = len(psutil.Process().children(recursive=True))
        return descriptors(), len(list(Path(f"/proc/{relay}/fd").iterdir())), tasks, children

    def some() -> None:
        wires = [opened(jupyter, f"viewer-{number:04}") for number in range(10)]
        for wire in wires:
            wire.connection.sendall(b"x")
            assert wire.receive(1) == b"x"
            wire.connection.close()
        settle(jupyter)

    some()
    eventually(lambda: jupyter.run(count_tasks()) <= 2, what="the tasks at rest")
    before = held()
    for _ in range(20):
        some()
    eventually(
        lambda: all(now <= then for now, then in zip(held(), before, strict=True)), what=f"no more than {before}"
    )


async def count_tasks() -> int:
    return len(asyncio.all_tasks())


# ------------------------------------------------------------------ a real websocket library at both ends
@pytest.fixture
def library(run: Run) -> Iterator[Callable[..., list[ServerConnection]]]:
    """A `websockets` server as the display."""
    servers = []

    def start(handle: Callable[[ServerConnection], None], **options: Any) -> list[ServerConnection]:
        connections: list[ServerConnection] = []

        def keep(connection: ServerConnection) -> None:
            connections.append(connection)
            handle(connection)

        server = serve(keep, "127.0.0.1", 0, ssl=run.server_context(), max_size=None, **options)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        run.publish(port=server.socket.getsockname()[1])
        return connections

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join(10)


def client(jupyter: Jupyter, **options: Any) -> Any:
    url = f"ws://127.0.0.1:{jupyter.port}{path()}"
    headers = {"Authorization": f"token {jupyter.token}"}
    return connect(url, additional_headers=headers, max_size=None, proxy=None, **options)


def send_back(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


def test_subprotocol_and_compression_are_settled_between_the_two_ends(
    jupyter: Jupyter, library: Callable[..., list[ServerConnection]], way: str
) -> None:
    connections = library(send_back, subprotocols=["base64"], compression="deflate")
    with client(jupyter, subprotocols=["binary", "base64"], compression="deflate") as found:
        assert found.subprotocol == "base64"  # the node's choice, not the first offer
        assert [type(one).__name__ for one in found.protocol.extensions] == ["PerMessageDeflate"]
        there = eventually(lambda: connections[0:1], what="the node's side of the websocket")[0]
        assert [type(one).__name__ for one in there.protocol.extensions] == ["PerMessageDeflate"]
        found.send("ü✓ " * 1000)
        assert found.recv(timeout=10) == "ü✓ " * 1000
    settle(jupyter)


def test_a_message_of_twenty_mebibytes_comes_back_intact(
    jupyter: Jupyter, library: Callable[..., list[ServerConnection]], way: str
) -> None:
    library(send_back, compression=None)
    message = os.urandom(20 * MIB)
    with client(jupyter, compression=None) as found, ThreadPoolExecutor(1) as pool:
        sent = pool.submit(found.send, message)
        assert found.recv(timeout=60) == message
        sent.result(10)
    settle(jupyter)


def test_close_codes_pass_both_ways(jupyter: Jupyter, library: Callable[..., list[ServerConnection]]) -> None:
    connections = library(lambda connection: connection.close(4001, "bye now"))
    with client(jupyter) as found, pytest.raises(ConnectionClosed) as closed:
        found.recv(timeout=10)
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "bye now")
    settle(jupyter)

    connections = library(send_back)
    with client(jupyter) as found:
        found.close(4002, "so long")
    eventually(lambda: connections[0].close_code == 4002, what="the browser's close code at the node")
    settle(jupyter)


def test_pings_reach_the_other_end(jupyter: Jupyter, library: Callable[..., list[ServerConnection]]) -> None:
    library(send_back)
    with client(jupyter) as found:
        assert found.ping().wait(10)
    settle(jupyter)
