"""The proxy between real peers that know RFC 6455 well: `websockets` (PyPI) and `ws` (npm), each at either end."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from tests.proxy.test_splice import path
from tests.support.jupyter_here import Jupyter, settle
from tests.support.session_run import Run

WS = Path(__file__).with_name("peers") / "ws.mjs"
MIB = 1 << 20
BIG = 100 * MIB


class Program:
    """A Node program that speaks JSON lines."""

    def __init__(self, *argv: str, token: str = "") -> None:
        self.process = subprocess.Popen(
            ["node", str(WS), *argv],
            env={"PATH": os.environ["PATH"], "PEER_TOKEN": token},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._events.put(json.loads(line))

    def event(self, timeout: float = 30) -> dict[str, Any]:
        return self._events.get(timeout=timeout)

    def tell(self, **command: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self._thread.join(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()


def answer(websocket: ServerConnection) -> None:
    """Echoes, or does what a text says: as `ws.mjs` does."""
    with suppress(ConnectionClosed):
        for message in websocket:
            words = message.split(" ") if isinstance(message, str) and len(message) < 100 else [""]
            if words[0] == "close":
                websocket.close(int(words[1]), " ".join(words[2:]))
            elif words[0] == "ping":
                websocket.ping(words[1])
            else:
                websocket.send(message)


@pytest.fixture(params=["websockets", "ws"])
def display(request: pytest.FixtureRequest, run: Run) -> Iterator[str]:
    """The session's display is a websocket server of one of the two, behind the run's mutual TLS."""
    if request.param == "ws":
        names = ("server.pem", "server.key", "client.pem")
        program = Program("server", *(str(run.folder / name) for name in names))
        run.publish(port=program.event()["port"])
        yield "ws"
        program.close()
        return
    context = run.server_context()
    with serve(answer, "127.0.0.1", 0, ssl=context, max_size=None, subprotocols=["binary"]) as server:  # type: ignore[list-item]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        run.publish(port=server.socket.getsockname()[1])
        yield "websockets"
        server.shutdown()
        thread.join(10)


@pytest.fixture
def address(jupyter: Jupyter, display: str) -> str:
    return f"ws://127.0.0.1:{jupyter.port}{path()}"


@pytest.fixture
def python(jupyter: Jupyter, address: str) -> Iterator[ClientConnection]:
    headers = {"Authorization": f"token {jupyter.token}"}
    with connect(address, subprotocols=["binary"], additional_headers=headers, max_size=None) as found:  # type: ignore[list-item]
        yield found
    settle(jupyter)


@pytest.fixture
def node(jupyter: Jupyter, address: str) -> Iterator[Program]:
    program = Program("client", address, token=jupyter.token)
    assert program.event()["event"] == "open"
    yield program
    program.close()
    settle(jupyter)


# ------------------------------------------------------------------ `websockets` as the browser
def test_python_messages_of_every_kind_come_back(python: ClientConnection) -> None:
    for message in ("", "grüße ✓ 𝄞", b"", b"\x00\xff" * 500_000, "x" * 65536):
        python.send(message)
        assert python.recv(30) == message
    python.send(iter(["one ", "two ", "three"]))  # a message in fragments
    assert python.recv(30) == "one two three"
    assert python.subprotocol == "binary"


def test_python_compression_is_agreed_end_to_end(python: ClientConnection) -> None:
    assert [extension.name for extension in python.protocol.extensions] == ["permessage-deflate"]


def test_python_pings_are_answered_by_the_display(python: ClientConnection) -> None:
    assert python.ping("are you there").wait(10)


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "leaving"), (4001, "auf Wiedersehen ✓"), (4999, "r")])
def test_python_hears_the_displays_close_code(python: ClientConnection, code: int, reason: str) -> None:
    python.send(f"close {code} {reason}")
    with pytest.raises(ConnectionClosed) as caught:
        python.recv(30)
    assert caught.value.rcvd
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (code, reason)


def test_python_sends_and_gets_a_hundred_mebibytes(python: ClientConnection) -> None:
    message = bytes(BIG)
    got: list[Any] = []
    reader = threading.Thread(target=lambda: got.append(python.recv(60)))
    reader.start()
    python.send(message)
    reader.join(60)
    assert got == [message]


# ------------------------------------------------------------------ `ws` as the browser
def test_ws_messages_of_every_kind_come_back(node: Program) -> None:
    node.tell(do="text", text="grüße ✓ 𝄞")
    assert node.event() == {"event": "message", "binary": False, "size": 16, "text": "grüße ✓ 𝄞"}
    node.tell(do="binary", size=MIB)
    assert node.event() == {"event": "message", "binary": True, "size": MIB, "text": None}
    node.tell(do="fragments", count=20)
    assert node.event() == {"event": "message", "binary": False, "size": 100, "text": "part " * 20}


def test_ws_pings_and_pongs_pass_both_ways(node: Program) -> None:
    node.tell(do="ping", text="hello")
    assert node.event() == {"event": "pong", "text": "hello"}
    node.tell(do="text", text="ping you")
    assert node.event() == {"event": "ping", "text": "you"}


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (4001, "auf Wiedersehen ✓")])
def test_ws_hears_the_displays_close_code(node: Program, code: int, reason: str) -> None:
    node.tell(do="text", text=f"close {code} {reason}")
    assert node.event() == {"event": "close", "code": code, "text": reason}


def test_ws_that_breaks_off_leaves_nothing(jupyter: Jupyter, node: Program) -> None:
    node.tell(do="terminate")
    assert node.event() == {"event": "close", "code": 1006, "text": ""}
    settle(jupyter)


# ------------------------------------------------------------------ what the display hears
@pytest.mark.parametrize(("code", "reason"), [(1000, "done"), (4002, "bye ✓")])
def test_the_display_hears_the_browsers_close_code(jupyter: Jupyter, run: Run, code: int, reason: str) -> None:
    heard: queue.Queue[tuple[int, str]] = queue.Queue()

    def listen(websocket: ServerConnection) -> None:
        with pytest.raises(ConnectionClosed) as caught:
            websocket.recv(30)
        if caught.value.rcvd:
            heard.put((caught.value.rcvd.code, caught.value.rcvd.reason))

    context = run.server_context()
    with serve(listen, "127.0.0.1", 0, ssl=context, subprotocols=["binary"]) as server:  # type: ignore[list-item]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        run.publish(port=server.socket.getsockname()[1])
        program = Program("client", f"ws://127.0.0.1:{jupyter.port}{path()}", token=jupyter.token)
        try:
            assert program.event()["event"] == "open"
            program.tell(do="close", code=code, text=reason)
            assert heard.get(timeout=10) == (code, reason)
        finally:
            program.close()
            server.shutdown()
            thread.join(10)
    settle(jupyter)
