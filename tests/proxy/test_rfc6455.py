"""RFC 6455 from end to end: whatever one peer sends, right or wrong, arrives at the other as it was sent.

The proxy parses no frame, so neither side may notice that it is there: lengths, fragments, control frames, close codes,
reserved bits and errors are between the two. Each stream is sent from the browser's side and from the node's.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from qconnect_web.proxy import display_line
from tests.proxy.frames import BINARY, CONTINUATION, PING, PONG, TEXT, close, fragments, frame
from tests.proxy.test_splice import opened, path
from tests.support.jupyter_here import Jupyter, Wire, settle
from tests.support.node_server import NodeServer, switch
from tests.support.session_run import Run

Doors = Callable[..., NodeServer]
Stream = Callable[[bool], bytes]
UMLAUTS = "grüße ✓ 漢字 𝄞".encode()


def sized(opcode: int, size: int, form: int | None = None) -> Stream:
    return lambda masked: frame(opcode, b"\xc3\xa4"[: size % 2] + b"x" * (size - size % 2), masked=masked, form=form)


def closing(code: int, reason: bytes = b"") -> Stream:
    return lambda masked: close(code, reason, masked=masked)


def split(opcode: int, parts: list[bytes], between: Stream = lambda masked: b"") -> Stream:
    return lambda masked: fragments(opcode, parts, masked=masked, between=between(masked))


def control(opcode: int, payload: bytes = b"") -> Stream:
    return lambda masked: frame(opcode, payload, masked=masked)


def several(*streams: Stream) -> Stream:
    return lambda masked: b"".join(stream(masked) for stream in streams)


LENGTHS = (0, 1, 124, 125, 126, 127, 65535, 65536, 65537, 1 << 20)
CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999)
STREAMS: dict[str, Stream] = {
    **{f"binary of {size}": sized(BINARY, size) for size in LENGTHS},
    **{f"text of {size}": sized(TEXT, size) for size in (0, 125, 126, 65535, 65536)},
    "five bytes with a 16-bit length": sized(BINARY, 5, 126),
    "five bytes with a 64-bit length": sized(BINARY, 5, 127),
    "126 bytes with a 64-bit length": sized(BINARY, 126, 127),
    "text in two fragments": split(TEXT, [b"one ", b"message"]),
    "text in a hundred fragments": split(TEXT, [b"x"] * 100),
    "text cut inside a character": split(TEXT, [UMLAUTS[:3], UMLAUTS[3:]]),
    "binary in fragments of 64 KiB": split(BINARY, [bytes([at]) * 65536 for at in range(8)]),
    "an empty first fragment": split(TEXT, [b"", b"rest"]),
    "an empty last fragment": split(BINARY, [b"all", b""]),
    "only empty fragments": split(TEXT, [b"", b"", b""]),
    "a ping between fragments": split(TEXT, [b"one", b"two"], control(PING, b"are you there")),
    "a pong between fragments": split(BINARY, [b"one", b"two", b"three"], control(PONG, b"here")),
    "ping and pong between fragments": split(TEXT, [b"a", b"b"], several(control(PING, b"1"), control(PONG, b"2"))),
    "a close between fragments": split(TEXT, [b"one", b"two"], closing(1001, b"leaving")),
    "an empty ping": control(PING),
    "a ping of 125 bytes": control(PING, b"p" * 125),
    "a pong that nobody asked for": control(PONG, b"unasked"),
    "an empty pong": control(PONG),
    "ten pings at once": several(*[control(PING, bytes([at])) for at in range(10)]),
    "many small messages at once": several(*[sized(BINARY, 7)] * 500),
    "small, large, small": several(sized(TEXT, 3), sized(BINARY, 300_000), sized(TEXT, 3)),
    "an empty close": lambda masked: close(masked=masked),
    **{f"close {code}": closing(code, b"why") for code in CODES},
    "close without a reason": closing(1000),
    "close with a reason in another script": closing(4001, "auf Wiedersehen ✓".encode()),
    "close with the longest reason": closing(4002, b"r" * 123),
    "a close whose body is one byte": control(0x8, b"\x03"),
    "a close with a code that may not be sent": closing(1005),
    "a close with a code below 1000": closing(999),
    "data after a close": several(closing(1000), sized(BINARY, 10)),
    "the bit of permessage-deflate": lambda masked: frame(TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\x00", masked=masked, rsv=4),
    "all reserved bits": lambda masked: frame(BINARY, b"x", masked=masked, rsv=7),
    "a reserved opcode": control(0x3, b"x"),
    "a reserved control opcode": control(0xB, b"x"),
    "a ping that is too long": sized(PING, 126),
    "a fragmented ping": lambda masked: frame(PING, b"half", masked=masked, fin=False),
    "a continuation of nothing": control(CONTINUATION, b"of what?"),
    "text that is not UTF-8": control(TEXT, b"\xff\xfe\x80"),
    "a frame that is masked the wrong way": lambda masked: frame(BINARY, b"wrong", masked=not masked),
    "half a frame": lambda masked: sized(BINARY, 1000)(masked)[:500],
}


SOME = [
    "binary of 65536",
    "text in a hundred fragments",
    "a ping between fragments",
    "many small messages at once",
    "close 4000",
    "data after a close",
    "the bit of permessage-deflate",
    "half a frame",
]
"""Those that are also sent past this server's own pump: it is the same code as the relay's, on another loop."""
WAYS = [(name, "relay") for name in STREAMS] + [(name, "server") for name in SOME]


def test_there_are_cases_enough() -> None:
    assert len(STREAMS) >= 60


@pytest.fixture
def pumped_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who passes the bytes on: the relay process, or this server as it does without one."""
    if request.param == "server":
        monkeypatch.setattr(display_line, "movable", lambda browser, endpoint: False)
    return str(request.param)


@pytest.mark.parametrize(("name", "pumped_by"), WAYS, indirect=["pumped_by"])
def test_what_the_browser_sends_arrives_as_it_is(
    jupyter: Jupyter, run: Run, node: Doors, name: str, pumped_by: str
) -> None:
    heard, arrived = bytearray(), threading.Event()
    stream = STREAMS[name](True)

    def listen(connection: socket.socket) -> None:
        while len(heard) < len(stream) and (got := connection.recv(65536)):
            heard.extend(got)
        arrived.set()

    node(switch(then=listen))
    with opened(jupyter) as wire:
        wire.connection.sendall(stream)
        assert arrived.wait(10)
    assert bytes(heard) == stream
    settle(jupyter)


@pytest.mark.parametrize(("name", "pumped_by"), WAYS, indirect=["pumped_by"])
def test_what_the_node_sends_arrives_as_it_is(
    jupyter: Jupyter, run: Run, node: Doors, name: str, pumped_by: str
) -> None:
    stream = STREAMS[name](False)
    node(switch(then=lambda connection: connection.sendall(stream)))
    with opened(jupyter) as wire:
        assert wire.receive(len(stream)) == stream
        assert wire.receive(1) == b""  # nothing is added either
    settle(jupyter)


# ------------------------------------------------------------------ how bytes arrive
@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_frames_may_come_in_any_pieces(jupyter: Jupyter, run: Run, node: Doors, step: int) -> None:
    stream = several(STREAMS["a ping between fragments"], STREAMS["text of 126"], closing(4000, b"end"))(True)
    node(switch())  # echoes
    with opened(jupyter) as wire:
        wire.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(stream), step):
            wire.connection.sendall(stream[at : at + step])
        assert wire.receive(len(stream)) == stream
    settle(jupyter)


def test_frames_that_come_with_the_handshake_are_first(jupyter: Jupyter, run: Run, node: Doors) -> None:
    early, later = sized(TEXT, 9)(True), sized(BINARY, 90)(True)
    first = sized(TEXT, 5)(False)
    node(switch(first=first))
    with opened(jupyter, early=early) as wire:
        wire.connection.sendall(later)
        assert wire.receive(len(first + early + later)) == first + early + later
    settle(jupyter)


# ------------------------------------------------------------------ how it ends
def abort(connection: socket.socket) -> None:
    """Ends a connection as a crash does, without a FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def ends(wire: Wire) -> bool:
    with suppress(ConnectionResetError):
        return wire.receive(1) == b""
    return True


def test_a_browser_that_breaks_off_is_noticed_by_the_node(jupyter: Jupyter, run: Run, node: Doors) -> None:
    over = threading.Event()

    def listen(connection: socket.socket) -> None:
        with suppress(OSError):
            while connection.recv(65536):
                pass
        over.set()

    node(switch(then=listen))
    abort(opened(jupyter).connection)
    assert over.wait(5)
    settle(jupyter)


def test_a_node_that_breaks_off_is_noticed_by_the_browser(jupyter: Jupyter, run: Run, node: Doors) -> None:
    def break_off(connection: socket.socket) -> None:
        connection.recv(1)  # not before the 101 has arrived, which a reset would take back
        abort(connection)

    node(switch(then=break_off))
    with opened(jupyter) as wire:
        wire.connection.sendall(b"x")
        assert ends(wire)
    settle(jupyter)


def test_a_browser_that_only_stops_sending_still_receives(jupyter: Jupyter, run: Run, node: Doors) -> None:
    """Half-closed: the answer to its close frame is still on its way (RFC 6455, section 7.1.1)."""
    goodbye = closing(1000, b"bye")

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(goodbye(False))

    node(switch(then=answer))
    with opened(jupyter) as wire:
        wire.connection.sendall(goodbye(True))
        wire.connection.shutdown(socket.SHUT_WR)
        assert wire.receive(len(goodbye(False))) == goodbye(False)
    settle(jupyter)


# ------------------------------------------------------------------ what is agreed on
@pytest.mark.parametrize("chosen", ["base64", "binary", None])
def test_the_subprotocol_is_the_nodes_choice(jupyter: Jupyter, run: Run, node: Doors, chosen: str | None) -> None:
    node(switch(f"Sec-WebSocket-Protocol: {chosen}\r\n" if chosen else ""))
    offers = {"Sec-WebSocket-Protocol": "binary, base64", "Cookie": jupyter.cookie(), "Origin": jupyter.origin}
    with jupyter.websocket(path(), offers) as wire:
        answer = wire.answer()
        assert (answer.status, answer["Sec-WebSocket-Protocol"] or None) == (101, chosen)
    settle(jupyter)


@pytest.mark.parametrize("taken", ["permessage-deflate; client_max_window_bits=12", None])
def test_compression_is_between_the_two(jupyter: Jupyter, run: Run, node: Doors, taken: str | None) -> None:
    found = node(switch(f"Sec-WebSocket-Extensions: {taken}\r\n" if taken else ""))
    offer = "permessage-deflate; client_max_window_bits"
    offers = {"Sec-WebSocket-Extensions": offer, "Cookie": jupyter.cookie(), "Origin": jupyter.origin}
    with jupyter.websocket(path(), offers) as wire:
        answer = wire.answer()
        assert (answer.status, answer["Sec-WebSocket-Extensions"] or None) == (101, taken)
    assert f"Sec-WebSocket-Extensions: {offer}\r\n".encode() in found.bytes_heard
    settle(jupyter)
