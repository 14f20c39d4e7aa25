"""The pump alone: every pair of plain and TLS sides, and the pump on Tornado's public calls."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tornado.iostream import IOStream, SSLIOStream, StreamClosedError

from qconnect_web.proxy import pump as pump_module
from qconnect_web.proxy import streams
from qconnect_web.proxy.pump import Closed
from qconnect_web.proxy.streams import pump_between
from tests.deadline import eventually
from tests.proxy.world import make_pair, resident_kb, write_private

MIB = 1024 * 1024
SIDES = ["plain-plain", "plain-tls", "tls-plain", "tls-tls"]


@dataclass
class Ends:
    """The far ends of a running pump, as blocking sockets: where the browser is, and where the node is."""

    browser: socket.socket
    node: socket.socket
    result: Callable[[], Closed]
    end: Callable[[], None]
    upward: list[int]


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    folder = tmp_path_factory.mktemp("keys")
    certificate, key = make_pair()
    write_private(folder / "c.pem", certificate)
    write_private(folder / "c.key", key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "c.pem", folder / "c.key")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(folder / "c.pem")
    return server, client


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


@pytest.fixture
def started(
    loop: asyncio.AbstractEventLoop, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> Iterator[Callable[..., Ends]]:
    """Starts a pump; `first` is what the node has sent before the pump is there, read ahead by Tornado."""
    ends: list[Ends] = []

    def call(work: Awaitable[Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(20)  # type: ignore[arg-type]  # all are coroutines

    async def stream_of(near: socket.socket, secure: bool) -> IOStream:
        near.setblocking(False)
        if not secure:
            return IOStream(near)
        wrapped = contexts[1].wrap_socket(near, server_hostname="qconnect-server", do_handshake_on_connect=False)
        found = SSLIOStream(wrapped, ssl_options=contexts[1])
        await asyncio.wait_for(found.wait_for_handshake(), 10)
        return found

    def open_side(secure: bool) -> tuple[IOStream, socket.socket]:
        near, far = tcp_pair()
        if not secure:
            return call(stream_of(near, False)), far
        with ThreadPoolExecutor(1) as pool:
            wrapped = pool.submit(contexts[0].wrap_socket, far, server_side=True)
            return call(stream_of(near, True)), wrapped.result(10)

    def start(sides: str, first: bytes = b"") -> Ends:
        browser_side, node_side = sides.split("-")
        browser_stream, browser = open_side(browser_side == "tls")
        node_stream, node = open_side(node_side == "tls")
        upward: list[int] = []

        async def begin() -> tuple[Any, asyncio.Task[Closed]]:
            if first:
                node.sendall(b"!" + first)
                assert await node_stream.read_bytes(1) == b"!"  # leaves the rest read ahead, as after a 101's head
            made = pump_between(browser_stream, node_stream, lambda: upward.append(1))
            return made, asyncio.create_task(made.run())

        made, task = call(begin())

        async def waited() -> Closed:
            return await asyncio.wait_for(asyncio.shield(task), 20)

        found = Ends(
            browser, node, lambda: call(waited()), lambda: loop.call_soon_threadsafe(made.end) and None, upward
        )
        ends.append(found)
        return found

    yield start
    for end in ends:
        end.browser.close()
        end.node.close()
        end.end()
        end.result()


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


@pytest.fixture(params=["sockets", "streams"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both pumps; the second is what remains with a Tornado that changed inside."""
    if request.param == "streams":
        monkeypatch.setattr(streams, "can_take", lambda stream: False)
    return str(request.param)


@pytest.mark.parametrize("sides", SIDES)
def test_twenty_mebibytes_pass_both_ways_at_once_and_intact(started: Callable[..., Ends], way: str, sides: str) -> None:
    ends = started(sides)
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
    assert ends.upward


@pytest.mark.parametrize("sides", SIDES)
def test_what_was_read_ahead_comes_first(started: Callable[..., Ends], way: str, sides: str) -> None:
    first = b"first-" * 20
    ends = started(sides, first)
    ends.node.sendall(b"then")
    assert receive(ends.browser, len(first) + 4) == first + b"then"
    assert not ends.upward  # what a display draws is no activity of the user's


def test_a_half_closed_side_still_gets_its_answer(started: Callable[..., Ends]) -> None:
    ends = started("plain-plain")
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


@pytest.mark.parametrize("sides", ["plain-plain", "plain-tls"])
def test_what_was_under_way_when_the_browser_ended_arrives(started: Callable[..., Ends], sides: str) -> None:
    ends = started(sides)
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


def test_a_side_that_stays_half_closed_is_closed_in_the_end(
    started: Callable[..., Ends], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump_module, "HALF_CLOSED_S", 0.3)
    ends = started("plain-plain")
    ends.node.shutdown(socket.SHUT_WR)
    assert ends.result().who == "node"
    with suppress(ConnectionResetError):
        assert ends.browser.recv(1) == b""


@pytest.mark.parametrize("who", ["browser", "node"])
@pytest.mark.parametrize("sides", SIDES)
def test_an_abort_of_one_side_ends_the_other(started: Callable[..., Ends], way: str, sides: str, who: str) -> None:
    ends = started(sides)
    broken, other = (ends.browser, ends.node) if who == "browser" else (ends.node, ends.browser)
    broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    broken.close()
    with suppress(ConnectionResetError):
        assert other.recv(1) == b""
    assert ends.result().who == who


@pytest.mark.parametrize("sides", SIDES)
def test_it_can_be_ended_from_here(started: Callable[..., Ends], way: str, sides: str) -> None:
    ends = started(sides)
    ends.end()
    assert ends.result().who == "server"
    for end in (ends.browser, ends.node):
        with suppress(ConnectionResetError):
            assert end.recv(1) == b""


@pytest.mark.parametrize("sides", SIDES)
def test_a_slow_reader_holds_the_sender_back_and_costs_no_memory(
    started: Callable[..., Ends], way: str, sides: str
) -> None:
    ends = started(sides)
    before, sent = resident_kb(), 0
    ends.node.settimeout(0.5)
    block = b"x" * MIB
    with suppress(TimeoutError, ssl.SSLWantWriteError):
        while sent < 400:
            ends.node.sendall(block)
            sent += 1
    assert sent < 40, "the sender was not held back"
    assert resident_kb() - before < 32 * 1024


def test_without_backpressure_memory_would_grow(started: Callable[..., Ends], monkeypatch: pytest.MonkeyPatch) -> None:
    async def careless(self: Any, name: str, source: IOStream, sink: IOStream) -> str:
        with suppress(StreamClosedError):
            while True:
                sink.write(await source.read_bytes(65536, partial=True))
                await asyncio.sleep(0)
        return name

    monkeypatch.setattr(streams, "can_take", lambda stream: False)
    monkeypatch.setattr(streams.StreamPump, "_copy", careless)
    ends = started("plain-plain")
    before = resident_kb()
    for _ in range(64):
        ends.node.sendall(b"x" * MIB)
    eventually(lambda: resident_kb() - before > 32 * 1024, what="the memory of a pump without backpressure")


def test_a_pump_leaves_no_descriptor_behind(started: Callable[..., Ends]) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    ends = started("plain-tls")
    ends.browser.close()
    ends.node.close()
    ends.result()
    before = descriptors()
    for sides in SIDES * 5:
        again = started(sides)
        again.browser.sendall(b"x")
        assert receive(again.node, 1) == b"x"
        again.browser.close()
        again.node.close()
        again.result()
    assert descriptors() == before
