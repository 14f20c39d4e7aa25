"""The pumps alone: in this process, in the relay, on Tornado's public calls; every pair of plain and TLS sides."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tornado.iostream import IOStream, SSLIOStream, StreamClosedError

from qconnect_web.proxy import tornado_streams
from qconnect_web.proxy.display_line import RelayedLine, StreamLine
from qconnect_web.proxy.relay_client import Relay
from qconnect_web.relay import pump as pump_module
from qconnect_web.relay.pinned_tls import PinnedContext, fingerprint_of
from qconnect_web.relay.pump import Closed
from qconnect_web.transports.keys import SERVER_NAME
from tests.support.deadline import eventually
from tests.support.jupyter_here import resident_kb
from tests.support.session_run import make_pair, write_private

MIB = 1024 * 1024
SIDES = ["plain-plain", "plain-tls", "tls-plain", "tls-tls"]
RAW = [("sockets", sides) for sides in SIDES] + [("relay", sides) for sides in SIDES if sides.startswith("plain")]
"""What moves bytes between sockets; the relay cannot take over TLS that this process has begun."""
ALL = RAW + [("streams", sides) for sides in SIDES]


@dataclass
class Ends:
    """The far ends of a running pump, as blocking sockets: where the browser is, and where the node is."""

    browser: socket.socket
    node: socket.socket
    result: Callable[[], Closed]
    end: Callable[[], None]
    moved: list[tuple[int, int]]


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, PinnedContext]:
    folder = tmp_path_factory.mktemp("keys")
    certificate, key = make_pair()
    write_private(folder / "c.pem", certificate)
    write_private(folder / "c.key", key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "c.pem", folder / "c.key")
    return server, PinnedContext.of(ssl.PEM_cert_to_DER_cert(certificate.decode()), certificate + key)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A running loop in a thread of its own."""
    found = asyncio.new_event_loop()
    thread = threading.Thread(target=found.run_forever)
    thread.start()
    yield found
    found.call_soon_threadsafe(found.stop)
    thread.join(10)
    found.close()


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a TCP connection, small kernel buffers, so that a slow reader is felt."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    for end in (near, far):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 256 * 1024)
        end.settimeout(20)
    return near, far


class Starter:
    """Starts pumps; `first` is what the node has sent before the pump is there, read ahead."""

    def __init__(self, loop: asyncio.AbstractEventLoop, contexts: tuple[ssl.SSLContext, PinnedContext]) -> None:
        self.loop, self.contexts = loop, contexts
        self.relay = self.call(self._make_relay())
        self.ends: list[Ends] = []

    async def _make_relay(self) -> Relay:
        return Relay(logging.getLogger("test"))

    def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def __call__(self, way: str, sides: str, first: bytes = b"") -> Ends:
        browser_side, node_side = sides.split("-")
        browser_stream, browser = self._stream(browser_side == "tls")
        moved: list[tuple[int, int]] = []

        def report(up: int, down: int) -> None:
            moved.append((up, down))

        if way == "relay":
            line, node = self._line(node_side == "tls", first)
        else:
            stream, node = self._stream(node_side == "tls")
            line = StreamLine(stream)

        async def begin() -> tuple[Any, asyncio.Task[Closed]]:
            if first and way != "relay":
                node.sendall(b"!" + first)
                assert await stream.read_bytes(1) == b"!"  # leaves the rest read ahead, as after a 101's head
            made = line.join(browser_stream, report)
            return made, asyncio.create_task(made.run())

        made, task = self.call(begin())

        async def waited() -> Closed:
            return await asyncio.wait_for(asyncio.shield(task), 20)

        def end() -> None:
            self.loop.call_soon_threadsafe(made.end)

        found = Ends(browser, node, lambda: self.call(waited()), end, moved)
        self.ends.append(found)
        return found

    def _stream(self, secure: bool) -> tuple[IOStream, socket.socket]:
        near, far = tcp_pair()

        async def stream_of() -> IOStream:
            near.setblocking(False)
            if not secure:
                return IOStream(near)
            context = self.contexts[1]
            wrapped = context.wrap_socket(near, server_hostname=SERVER_NAME, do_handshake_on_connect=False)
            found = SSLIOStream(wrapped, ssl_options=context)
            await asyncio.wait_for(found.wait_for_handshake(), 10)
            return found

        if not secure:
            return self.call(stream_of()), far
        with ThreadPoolExecutor(1) as pool:
            wrapped = pool.submit(self.contexts[0].wrap_socket, far, server_side=True)
            return self.call(stream_of()), wrapped.result(10)

    def _line(self, secure: bool, first: bytes) -> tuple[RelayedLine, socket.socket]:
        near, far = tcp_pair()

        async def take() -> Any:
            assert await self.relay.ready()
            return self.relay.take(near)

        line = self.call(take())
        if secure:
            fingerprint = fingerprint_of(self.contexts[1].server)
            with ThreadPoolExecutor(1) as pool:
                wrapped = pool.submit(self.contexts[0].wrap_socket, far, server_side=True)
                self.call(line.secure(self.contexts[1], SERVER_NAME, fingerprint))
                far = wrapped.result(10)
        far.sendall(b"HTTP/1.1 101 OK\r\n\r\n" + first)
        assert self.call(line.exchange(b"GET")) == b"HTTP/1.1 101 OK\r\n\r\n"
        assert receive(far, 3) == b"GET"
        return RelayedLine(line), far

    def close(self) -> None:
        for end in self.ends:
            end.browser.close()
            end.node.close()
            end.end()
            end.result()
        self.call(self.relay.close())


@pytest.fixture
def started(
    loop: asyncio.AbstractEventLoop,
    contexts: tuple[ssl.SSLContext, PinnedContext],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Starter]:
    params = getattr(request.node, "callspec", None)
    if params and params.params.get("way") == "streams":
        monkeypatch.setattr(tornado_streams, "can_take", lambda stream: False)
    found = Starter(loop, contexts)
    yield found
    found.close()


def receive(connection: socket.socket, size: int) -> bytes:
    content = bytearray()
    while len(content) < size and (got := connection.recv(min(65536, size - len(content)))):
        content += got
    return bytes(content)


def half_close(connection: socket.socket) -> None:
    """The end of one direction; a TLS socket's own `shutdown` would stop it from reading."""
    socket.socket.shutdown(connection, socket.SHUT_WR)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(("way", "sides"), ALL)
def test_twenty_mebibytes_pass_both_ways_at_once_and_intact(started: Starter, way: str, sides: str) -> None:
    ends = started(way, sides)
    up, down = os.urandom(20 * MIB), os.urandom(20 * MIB)
    with ThreadPoolExecutor(4) as pool:
        if "tls" in sides:  # one SSL object must not be used by two threads at once
            for sender, receiver, content in ((ends.browser, ends.node, up), (ends.node, ends.browser, down)):
                sent = pool.submit(sender.sendall, content)
                assert digest(receive(receiver, len(content))) == digest(content)
                sent.result(20)
        else:
            sends = [pool.submit(ends.browser.sendall, up), pool.submit(ends.node.sendall, down)]
            got = [pool.submit(receive, ends.node, len(up)), pool.submit(receive, ends.browser, len(down))]
            assert digest(got[0].result(30)) == digest(up)
            assert digest(got[1].result(30)) == digest(down)
            for sent in sends:
                sent.result(5)
    ends.browser.close()
    ends.node.close()
    closed = ends.result()
    assert (closed.bytes_up, closed.bytes_down, closed.who) == (len(up), len(down), closed.who)


@pytest.mark.parametrize(("way", "sides"), ALL)
def test_what_was_read_ahead_comes_first(started: Starter, way: str, sides: str) -> None:
    first = b"first-" * 20
    ends = started(way, sides, first)
    ends.node.sendall(b"then")
    assert receive(ends.browser, len(first) + 4) == first + b"then"


@pytest.mark.parametrize("way", ["sockets", "relay"])
def test_a_half_closed_side_still_gets_its_answer(started: Starter, way: str) -> None:
    ends = started(way, "plain-plain")
    ends.browser.sendall(b"last words")
    half_close(ends.browser)
    assert receive(ends.node, 64) == b"last words"  # and then the end
    answer = os.urandom(MIB)
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(ends.node.sendall, answer)
        assert digest(receive(ends.browser, MIB)) == digest(answer)
        sent.result(10)
    half_close(ends.node)
    assert ends.browser.recv(1) == b""
    assert ends.result() == Closed(10, MIB, "browser")


@pytest.mark.parametrize("way", ["sockets", "relay"])
@pytest.mark.parametrize("sides", ["plain-plain", "plain-tls"])
def test_what_was_under_way_when_the_browser_ended_arrives(started: Starter, way: str, sides: str) -> None:
    ends = started(way, sides)
    answer = os.urandom(4 * MIB)
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(ends.node.sendall, answer)
        ends.browser.sendall(b"last words")
        half_close(ends.browser)
        assert digest(receive(ends.browser, len(answer))) == digest(answer)
        sent.result(10)
    assert receive(ends.node, 64) == b"last words"
    half_close(ends.node)
    assert ends.result() == Closed(10, len(answer), "browser")


def test_a_side_that_stays_half_closed_is_closed_in_the_end(started: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump_module, "HALF_CLOSED_S", 0.3)
    ends = started("sockets", "plain-plain")
    ends.node.shutdown(socket.SHUT_WR)
    assert ends.result().who == "node"
    with suppress(ConnectionResetError):
        assert ends.browser.recv(1) == b""


@pytest.mark.parametrize("who", ["browser", "node"])
@pytest.mark.parametrize(("way", "sides"), ALL)
def test_an_abort_of_one_side_ends_the_other(started: Starter, way: str, sides: str, who: str) -> None:
    ends = started(way, sides)
    broken, other = (ends.browser, ends.node) if who == "browser" else (ends.node, ends.browser)
    broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    broken.close()
    with suppress(ConnectionResetError):
        assert other.recv(1) == b""
    assert ends.result().who == who


@pytest.mark.parametrize(("way", "sides"), ALL)
def test_it_can_be_ended_from_here(started: Starter, way: str, sides: str) -> None:
    ends = started(way, sides)
    ends.end()
    assert ends.result().who == "server"
    for end in (ends.browser, ends.node):
        with suppress(ConnectionResetError):
            assert end.recv(1) == b""


@pytest.mark.parametrize(("way", "sides"), ALL)
def test_a_slow_reader_holds_the_sender_back_and_costs_no_memory(started: Starter, way: str, sides: str) -> None:
    ends = started(way, sides)
    pids = [os.getpid(), *([started.relay.pid] if started.relay.pid else [])]
    before, sent = sum(map(resident_kb, pids)), 0
    ends.node.settimeout(0.5)
    block = b"x" * MIB
    with suppress(TimeoutError, ssl.SSLWantWriteError):
        while sent < 400:
            ends.node.sendall(block)
            sent += 1
    assert sent < 40, "the sender was not held back"
    assert sum(map(resident_kb, pids)) - before < 16 * 1024


def test_without_backpressure_memory_would_grow(started: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    async def careless(self: Any, name: str, source: IOStream, sink: IOStream) -> str:
        with suppress(StreamClosedError):
            while True:
                sink.write(await source.read_bytes(65536, partial=True))
                await asyncio.sleep(0)
        return name

    monkeypatch.setattr(tornado_streams, "can_take", lambda stream: False)
    monkeypatch.setattr(tornado_streams.StreamPump, "_copy", careless)
    ends = started("streams", "plain-plain")
    before = resident_kb()
    for _ in range(256):  # so much that what earlier tests give back meanwhile cannot hide it
        ends.node.sendall(b"x" * MIB)
    eventually(lambda: resident_kb() - before > 32 * 1024, what="the memory of a pump without backpressure")


def test_a_pump_leaves_no_descriptor_behind(started: Starter) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    ends = started("relay", "plain-tls")  # starts the process, which has one of its own
    ends.browser.close()
    ends.node.close()
    ends.result()
    before = descriptors()
    for way, sides in RAW * 5:
        again = started(way, sides)
        again.browser.sendall(b"x")
        assert receive(again.node, 1) == b"x"
        again.browser.close()
        again.node.close()
        again.result()
    assert descriptors() == before
