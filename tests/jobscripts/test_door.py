"""The door of a VNC desktop, as a process of its own in front of a server that greets as VNC does and then echoes."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from websockets.asyncio.client import ClientConnection as AsyncConnection
from websockets.asyncio.client import connect as aconnect
from websockets.asyncio.client import unix_connect as aunix_connect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, unix_connect

from tests.support.deadline import eventually
from tests.support.ports import own_port
from tests.support.script_run import ask, client_context
from tests.support.session_run import make_pair

DOOR = Path(__file__).parents[2] / "jobscripts/door.py"
HELLO = b"RFB 003.008\n"


class Vnc:
    """What stands behind the door: greets, then gives back what it gets, or floods, or says nothing."""

    def __init__(self, path: Path) -> None:
        self.greeting, self.flood = HELLO, False
        self.heard = 0
        self._callers: list[socket.socket] = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._server.accept()[0],), daemon=True).start()

    def _serve(self, caller: socket.socket) -> None:
        self._callers.append(caller)
        with caller, suppress(OSError):
            caller.sendall(self.greeting)
            while self.flood:
                caller.sendall(bytes(65536))
            while data := caller.recv(65536):
                self.heard += len(data)
                caller.sendall(data)

    def close(self) -> None:
        """Ends it, and every connection to it."""
        for open_one in (self._server, *self._callers):
            with suppress(OSError):
                open_one.shutdown(socket.SHUT_RDWR)
        self._server.close()


@pytest.fixture
def vnc(tmp_path: Path) -> Iterator[Vnc]:
    server = Vnc(tmp_path / "rfb.sock")
    yield server
    server.close()


@contextmanager
def opened(folder: Path, *where: str) -> Iterator[subprocess.Popen[bytes]]:
    argv = ["/usr/bin/python3", "-IS", str(DOOR), str(folder / "rfb.sock"), *where]
    with subprocess.Popen(argv, stderr=subprocess.PIPE) as door:
        try:
            yield door
        finally:
            door.terminate()
            door.wait(10)


def answers(place: str | tuple[str, int]) -> bool:
    """Whether anybody listens there: a socket is bound before that."""
    with socket.socket(socket.AF_UNIX if isinstance(place, str) else socket.AF_INET) as plain:
        return not plain.connect_ex(place)


@pytest.fixture
def door(tmp_path: Path, vnc: Vnc) -> Iterator[subprocess.Popen[bytes]]:
    """The door on a unix socket, `x.sock`."""
    with opened(tmp_path, "socket", str(tmp_path / "x.sock")) as process:
        eventually(lambda: answers(str(tmp_path / "x.sock")), what="the door")
        yield process


@pytest.fixture
def port(tmp_path: Path, vnc: Vnc) -> Iterator[int]:
    """The door on a port, behind the keys of `tmp_path`."""
    for name, usage in (("server", ExtendedKeyUsageOID.SERVER_AUTH), ("client", ExtendedKeyUsageOID.CLIENT_AUTH)):
        for suffix, pem in zip(("pem", "key"), make_pair(usage=usage), strict=True):
            (tmp_path / f"{name}.{suffix}").write_bytes(pem)
    number = own_port()
    with opened(tmp_path, "tls", str(number), str(tmp_path), "[::]"):
        eventually(lambda: answers(("127.0.0.1", number)), what="the door")
        yield number


@contextmanager
def knock(folder: Path) -> Iterator[ClientConnection]:
    """A websocket through the door, greeted."""
    with unix_connect(str(folder / "x.sock"), "ws://door/", compression=None, max_size=None) as found:
        assert found.recv(timeout=5) == HELLO
        yield found


def gathered(websocket: ClientConnection, size: int) -> bytes:
    """So many bytes of binary messages, however they are cut."""
    found = b""
    while len(found) < size:
        part = websocket.recv(timeout=5)
        assert isinstance(part, bytes)
        found += part
    return found


async def echoed(websocket: AsyncConnection, data: bytes) -> bytes:
    """What comes back of a message, taken while it is still being sent.

    The other client of websockets holds a lock while it sends, and reads nothing then: with as much in flight as all
    buffers on the way hold, both ends would wait for each other.
    """
    assert await asyncio.wait_for(websocket.recv(), 20) == HELLO
    sending = asyncio.create_task(websocket.send(data))
    found = b""
    while len(found) < len(data):
        part = await asyncio.wait_for(websocket.recv(), 20)
        assert isinstance(part, bytes)
        found += part
    await sending
    return found


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 1_000_003])
@pytest.mark.usefixtures("door")
def test_every_length_of_message_passes_both_ways(tmp_path: Path, size: int) -> None:
    data = bytes(index * 7 % 251 for index in range(size))

    async def exchange() -> bytes:
        place = str(tmp_path / "x.sock")
        async with aunix_connect(place, "ws://door/", compression=None, max_size=None) as websocket:
            return await echoed(websocket, data)

    assert asyncio.run(exchange()) == data


@pytest.mark.usefixtures("door")
def test_a_message_in_pieces_is_one_stream(tmp_path: Path) -> None:
    with knock(tmp_path) as websocket:
        websocket.send([b"a", b"", b"bc" * 5000, b"d"])
        assert gathered(websocket, 10002) == b"a" + b"bc" * 5000 + b"d"


@pytest.mark.usefixtures("door")
def test_a_ping_between_the_pieces_is_answered(tmp_path: Path) -> None:
    with knock(tmp_path) as websocket:
        assert websocket.ping(b"x" * 125).wait(5)


@pytest.mark.usefixtures("door")
def test_a_goodbye_is_returned(tmp_path: Path) -> None:
    with knock(tmp_path) as websocket:
        websocket.close(4321)
        assert websocket.close_code == 4321


@pytest.mark.usefixtures("door")
def test_the_servers_end_is_told(tmp_path: Path, vnc: Vnc) -> None:
    with knock(tmp_path) as websocket:
        vnc.close()
        with pytest.raises(ConnectionClosed):
            websocket.recv(timeout=5)
        assert websocket.close_code == 1000


UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: door\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\n"


def spoken(folder: Path, words: bytes) -> bytes:
    """All that the door says to these bytes until it hangs up."""
    found = b""
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(10)
        plain.connect(str(folder / "x.sock"))
        with suppress(ConnectionResetError, BrokenPipeError):  # it may hang up before it has heard all
            plain.sendall(words)
            while part := plain.recv(65536):
                found += part
    return found


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x82\x01a", 1002),  # not masked
        (b"\xc2\x81\x00\x00\x00\x00a", 1002),  # a reserved bit: nothing was agreed on
        (b"\x83\x80\x00\x00\x00\x00", 1002),  # a reserved opcode
        (b"\x80\x80\x00\x00\x00\x00", 1002),  # the rest of a message that never began
        (b"\x02\x80\x00\x00\x00\x00\x82\x80\x00\x00\x00\x00", 1002),  # a message inside another
        (b"\x09\x80\x00\x00\x00\x00", 1002),  # a ping in pieces
        (b"\x89\xfe\x00\x7e\x00\x00\x00\x00", 1002),  # a ping of 126 bytes
        (b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 1002),  # a length with the top bit
        (b"\x81\x81\x00\x00\x00\x00a", 1003),  # text
        (b"\x88\x80\x00\x00\x00\x00", 1000),
        (b"\x88\x81\x00\x00\x00\x00\x03", 1002),  # half a code
        (b"\x88\x82\x00\x00\x00\x00\x03\xed", 1002),  # 1005, which is never sent
        (b"\x88\x83\x00\x00\x00\x00\x03\xe8\xff", 1007),  # no text
    ],
)
@pytest.mark.usefixtures("door")
def test_what_the_standard_forbids_ends_it_with_the_standards_code(tmp_path: Path, sent: bytes, code: int) -> None:
    said = spoken(tmp_path, UPGRADE + sent)
    assert said.startswith(ACCEPTED)
    assert said.endswith(b"\x88\x02" + code.to_bytes(2, "big"))


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /etc/passwd HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /Status HTTP/1.1\r\n\r\n", b"400"),
        (b"\x16\x03\x01\r\n\r\n", b"400"),
        (UPGRADE.replace(b"Version: 13", b"Version: 8"), b"400"),
        (UPGRADE.replace(b"Key: dGhl", b"Key: "), b"400"),
        (b"GET /Status HTTP/1.1\r\n\r\n", b"200"),
    ],
)
@pytest.mark.usefixtures("door")
def test_requests_are_answered_in_http(tmp_path: Path, words: bytes, status: bytes) -> None:
    assert spoken(tmp_path, words).startswith(b"HTTP/1.1 " + status)


@pytest.mark.usefixtures("door")
def test_an_endless_head_is_cut_off(tmp_path: Path) -> None:
    assert spoken(tmp_path, b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000) == b""


@pytest.mark.usefixtures("door")
def test_the_status_is_good_only_when_a_vnc_server_greets(tmp_path: Path, vnc: Vnc) -> None:
    assert spoken(tmp_path, b"GET /Status HTTP/1.1\r\n\r\n").endswith(HELLO)
    vnc.greeting = b"SSH-2.0-Open"
    assert spoken(tmp_path, b"GET /Status HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 503")
    vnc.close()
    assert spoken(tmp_path, b"GET /Status HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 503")


@pytest.mark.usefixtures("door")
def test_a_native_viewer_gets_the_bytes_as_they_are(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(5)
        plain.connect(str(tmp_path / "x.sock"))
        plain.sendall(b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: rfb\r\n\r\n")
        said = b""
        while not said.endswith(HELLO):
            said += plain.recv(4096)
        assert said.startswith(ACCEPTED)
        plain.sendall(b"\x00\x82raw")
        assert plain.recv(4096) == b"\x00\x82raw"


def test_a_browser_that_does_not_read_holds_the_server_back(
    tmp_path: Path, door: subprocess.Popen[bytes], vnc: Vnc
) -> None:
    before = psutil.Process(door.pid).memory_info().rss
    vnc.flood = True
    with socket.socket(socket.AF_UNIX) as plain:
        plain.connect(str(tmp_path / "x.sock"))
        plain.sendall(UPGRADE)
        plain.sendall((b"\x89\xfd\x00\x00\x00\x00" + bytes(125)) * 1000)  # pings that it would have to answer
        busy = psutil.Process(door.pid)
        eventually(lambda: busy.cpu_percent(0.3) < 3, 10, "the door at rest")
        assert busy.memory_info().rss - before < 8 << 20


@pytest.mark.usefixtures("door")
def test_no_more_than_so_many_visitors(tmp_path: Path) -> None:
    with ExitStack() as inside:
        for _ in range(63):
            inside.enter_context(knock(tmp_path))
        with knock(tmp_path):
            assert spoken(tmp_path, b"GET /Status HTTP/1.1\r\n\r\n") == b""
        eventually(lambda: spoken(tmp_path, b"GET /Status HTTP/1.1\r\n\r\n") != b"", what="a free place")


def test_only_the_runs_own_key_gets_in(tmp_path: Path, port: int, vnc: Vnc) -> None:
    stranger = tmp_path / "stranger.pem"
    for path, pem in zip((stranger, stranger.with_suffix(".key")), make_pair(), strict=True):
        path.write_bytes(pem)
    assert ask(port, client_context(tmp_path, tmp_path / "client.pem")).endswith(HELLO)
    for wrong in (client_context(tmp_path, None), client_context(tmp_path, stranger), None):
        assert ask(port, wrong) == b""
    # a certificate that the server's own key signed would pass a chain check, not the comparison
    assert ask(port, client_context(tmp_path, tmp_path / "server.pem")) == b""


def test_through_tls_as_well(tmp_path: Path, port: int) -> None:
    context = client_context(tmp_path, tmp_path / "client.pem")

    async def exchange() -> bytes:
        secure = {"ssl": context, "server_hostname": "qconnect-server"}
        async with aconnect(f"wss://127.0.0.1:{port}/", compression=None, **secure) as websocket:
            return await echoed(websocket, bytes(300_000))

    assert asyncio.run(exchange()) == bytes(300_000)


def test_old_tls_is_not_spoken(tmp_path: Path, port: int) -> None:
    context = client_context(tmp_path, tmp_path / "client.pem")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert ask(port, context) == b""


def test_a_taken_port_is_told(tmp_path: Path, port: int) -> None:
    with opened(tmp_path, "tls", str(port), str(tmp_path), "[::]") as second:
        assert second.wait(10) == 1
        assert second.stderr
        assert b"Address already in use" in second.stderr.read()
