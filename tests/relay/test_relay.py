"""The relay process: what it is, what it proves, and that nothing is lost but a connection when it dies or hangs."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from qconnect_web.proxy import dial
from qconnect_web.proxy import relay_client as relay_module
from qconnect_web.proxy.asyncio_loop import AsyncioHost
from qconnect_web.proxy.relay_client import Relay
from qconnect_web.relay.channel import MAX_MESSAGE, Channel
from qconnect_web.relay.pinned_tls import PinnedContext, fingerprint_of
from qconnect_web.transports.keys import SERVER_NAME
from tests.proxy.test_splice import count_tasks, descriptors, opened, path
from tests.support.deadline import aeventually, eventually
from tests.support.jupyter_here import Jupyter, settle
from tests.support.node_server import NodeServer, switch
from tests.support.session_run import Run, make_pair

Doors = Callable[..., NodeServer]
LEAN = {"qconnect_web", "qconnect_web.relay"} | {
    f"qconnect_web.relay.{name}" for name in ("channel", "epoll_loop", "flow", "pinned_tls", "process", "pump")
}


def works(jupyter: Jupyter, viewer: str = "viewer-0001") -> None:
    with opened(jupyter, viewer) as wire:
        wire.connection.sendall(b"hello")
        assert wire.receive(5) == b"hello"


def relay_pid(jupyter: Jupyter) -> int:
    assert jupyter.relay.pid
    return jupyter.relay.pid


@pytest.fixture
def fresh(jupyter: Jupyter) -> Iterator[Jupyter]:
    """The server without a relay yet, and without one that was given up."""

    async def reset() -> None:
        await jupyter.relay.close()
        jupyter.relay._rest_until = 0

    jupyter.run(reset())
    jupyter.logged.clear()
    yield jupyter
    settle(jupyter)
    jupyter.run(reset())


# ------------------------------------------------------------------ what it is
def test_it_starts_with_the_first_websocket_and_serves_all(fresh: Jupyter, run: Run, node: Doors) -> None:
    node(switch())
    assert fresh.relay.pid is None
    works(fresh)
    first = relay_pid(fresh)
    works(fresh, "viewer-0002")
    assert relay_pid(fresh) == first
    assert [child.pid for child in psutil.Process().children()].count(first) == 1


def test_it_knows_nothing_but_what_it_needs(
    fresh: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "not for everybody")
    node(switch())
    with opened(fresh):
        process = psutil.Process(relay_pid(fresh))
        assert set(process.environ()) <= {"PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE"}
        assert not any("PRIVATE" in word or fresh.token in word for word in process.cmdline())
        assert os.getsid(process.pid) == process.pid
        assert process.memory_info().rss < 32 * 1024 * 1024


def test_it_imports_the_standard_library_and_its_neighbours_only() -> None:
    code = (
        "import sys; sys.path.append(sys.argv[1]); import qconnect_web.relay.process\n"
        "print(*[n for n in sys.modules if n.partition('.')[0] not in sys.stdlib_module_names or n == 'asyncio'])"
    )
    argv = [sys.executable, "-IS", "-c", code, str(relay_module.ROOT)]
    found = set(subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split())
    assert found - {"__main__"} == LEAN


def test_it_dies_with_its_server(tmp_path: Path) -> None:
    code = (
        "import asyncio, logging\nfrom qconnect_web.proxy.relay_client import Relay\n"
        "async def main():\n    relay = Relay(logging.getLogger())\n    assert await relay.ready()\n"
        "    print(relay.pid, flush=True)\n    await asyncio.sleep(60)\nasyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        pid = int(server.stdout.readline())
        assert psutil.pid_exists(pid)
        server.kill()
    eventually(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie", what="the relay's end")


# ------------------------------------------------------------------ when it dies or hangs
def test_killed_twenty_times_under_a_stream_it_comes_back_and_leaves_nothing(
    fresh: Jupyter, run: Run, node: Doors
) -> None:
    def flood(connection: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection.sendall(b"x" * 65536)

    node(switch(then=flood))

    def once() -> None:
        with opened(fresh) as wire:
            assert wire.receive(100_000)
            os.kill(relay_pid(fresh), signal.SIGKILL)
            with suppress(ConnectionResetError):
                while wire.connection.recv(1 << 20):
                    pass
        settle(fresh)

    def held() -> tuple[int, int, int]:
        return (
            descriptors(),
            fresh.run(count_tasks()),
            len(psutil.Process().children(recursive=True)),
        )

    others = set(psutil.Process().children())  # of other tests' servers
    once()
    eventually(
        lambda: fresh.relay.pid is None and set(psutil.Process().children()) <= others, what="the dead relay is gone"
    )
    before = held()
    for _ in range(20):
        once()
    eventually(
        lambda: all(now <= then for now, then in zip(held(), before, strict=True)), what=f"no more than {before}"
    )
    assert sum("the relay process ended under 1 websockets" in line for line in fresh.logged) == 21


def test_one_that_dies_while_a_display_is_proved_costs_that_websocket_nothing(
    fresh: Jupyter, run: Run, node: Doors
) -> None:
    def kill_then_switch(connection: socket.socket, heard: bytes) -> None:
        if found.dials == 1:
            os.kill(relay_pid(fresh), signal.SIGKILL)
        else:
            switch()(connection, heard)

    found = node(kill_then_switch)
    works(fresh)
    assert found.dials == 2


def test_one_that_hangs_is_ended_and_replaced(
    fresh: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "HANDSHAKE_S", 0.3)
    monkeypatch.setattr(relay_module, "ECHO_S", 0.3)
    node(switch())
    works(fresh)
    hung = relay_pid(fresh)
    os.kill(hung, signal.SIGSTOP)
    with fresh.websocket(*page(fresh)) as wire:
        assert wire.answer().status == 504
    eventually(lambda: not psutil.pid_exists(hung), what="the hung relay is gone")
    monkeypatch.setattr(dial, "HANDSHAKE_S", 5)
    works(fresh)
    assert relay_pid(fresh) != hung


def page(jupyter: Jupyter) -> tuple[str, dict[str, str]]:
    return path(), {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}


def test_a_silent_node_is_no_reason_to_end_it(
    fresh: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "ANSWER_S", 0.2)
    node(switch())
    works(fresh)
    before = relay_pid(fresh)
    node(lambda connection, heard: connection.recv(1))
    with fresh.websocket(*page(fresh)) as wire:
        assert wire.answer().status == 504
    assert relay_pid(fresh) == before


@pytest.mark.parametrize("code", ["raise SystemExit(1)", "import time; time.sleep(60)"])
def test_without_one_the_server_moves_the_bytes_itself(
    fresh: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(relay_module, "CODE", code)
    monkeypatch.setattr(relay_module, "START_S", 0.5)
    node(switch())
    for _ in range(3):
        works(fresh)
    assert fresh.relay.pid is None
    assert sum("cannot start" in line for line in fresh.logged) == 1


def test_a_python_that_is_not_there_is_no_disaster(
    fresh: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module.sys, "executable", "/nowhere/python")
    node(switch())
    works(fresh)


# ------------------------------------------------------------------ what it proves
def handshake(context: PinnedContext, fingerprint: str, server: ssl.SSLContext) -> bytes:
    """What a server with this context hears after the relay's handshake with it."""
    heard: list[bytes] = []

    def serve(far: socket.socket) -> None:
        with suppress(OSError), server.wrap_socket(far, server_side=True) as wrapped:
            heard.append(wrapped.recv(100))

    async def shake(near: socket.socket) -> None:
        relay = Relay(relay_module.logging.getLogger())
        assert await relay.ready()
        line = relay.take(near)
        try:
            await line.secure(context, SERVER_NAME, fingerprint)
            with suppress(OSError):
                await line.exchange(b"secret request")
        finally:
            line.close()
            await relay.close()

    near, far = socket.socketpair()
    thread = threading.Thread(target=serve, args=(far,))
    thread.start()
    try:
        asyncio.run(shake(near))
    finally:
        thread.join(10)
        far.close()
    return b"".join(heard)


def test_it_holds_a_certificate_against_the_pin_itself(run: Run) -> None:
    pem, key = make_pair("qconnect-client")
    server, other = (run.folder / "server.pem").read_bytes(), make_pair()[0]
    pins = [fingerprint_of(ssl.PEM_cert_to_DER_cert(found.decode())) for found in (server, other)]
    trusting = PinnedContext.of(ssl.PEM_cert_to_DER_cert(server.decode()), pem + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(run.folder / "server.pem", run.folder / "server.key")
    assert handshake(trusting, pins[0], context) == b"secret request"
    with pytest.raises(ssl.SSLError):
        handshake(trusting, pins[1], context)


# ------------------------------------------------------------------ the channel
def test_messages_arrive_whole_and_in_order_when_the_other_end_is_slow() -> None:
    async def main() -> None:
        one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        got: list[tuple[int, bytes, bool]] = []
        lost = []
        sender = Channel(AsyncioHost(), one, lambda *message: None, lambda: lost.append(1))
        big = os.urandom(MAX_MESSAGE - 1024)
        before = descriptors()
        for number in range(50):
            near, far = socket.socketpair()
            far.close()
            sender.send({"n": number}, big, near)
        assert sender.busy

        def on_message(words: dict[str, int], content: bytes, connection: socket.socket | None) -> None:
            got.append((words["n"], content, connection is not None))
            if connection:
                connection.close()

        receiver = Channel(AsyncioHost(), two, on_message, lambda: None)
        await aeventually(lambda: len(got) == 50, what="fifty messages")
        assert got == [(number, big, True) for number in range(50)]
        assert descriptors() == before
        receiver.close()
        await aeventually(lambda: lost, what="the sender sees it")

    asyncio.run(main())


def test_a_channel_that_closes_closes_what_it_had_to_pass_on() -> None:
    async def main() -> None:
        one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sender = Channel(AsyncioHost(), one, lambda *message: None, lambda: None)
        near, far = socket.socketpair()
        while not sender.busy:
            sender.send({}, b"x" * 100_000)
        sender.send({}, b"", near)
        sender.close()
        assert near.fileno() == -1
        sender.send({}, b"", far)  # after the end, too
        assert far.fileno() == -1
        two.close()

    asyncio.run(main())


def test_many_displays_are_proved_at_once(fresh: Jupyter, run: Run, node: Doors) -> None:
    node(switch())
    with ThreadPoolExecutor(16) as pool:
        wires = list(pool.map(lambda number: opened(fresh, f"viewer-{number:04}"), range(16)))
    for wire in wires:
        wire.connection.sendall(b"x")
    for wire in wires:
        assert wire.receive(1) == b"x"
        wire.connection.close()
