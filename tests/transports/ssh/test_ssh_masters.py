"""One OpenSSH connection per node for all its sessions, on real ssh servers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import stat
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from qconnect_web.errors import IdentityMismatch, QConnectError, Unreachable
from qconnect_web.transports.login_questions import Answer, Question
from qconnect_web.transports.ssh import masters as ssh_masters
from qconnect_web.transports.ssh.dialogue import Terminal
from qconnect_web.transports.ssh.master import Forward, Master
from qconnect_web.transports.ssh.masters import Masters, PrivateFolder
from tests.support.deadline import aeventually, eventually
from tests.support.servers import REPOSITORY
from tests.transports.ssh.sshd import SshNodes, children, new_key

LOG = logging.getLogger("tests.transports.ssh")


class Nobody:
    """There is nobody to ask, and nothing may be asked."""

    async def ask(self, question: Question) -> Answer | None:
        raise AssertionError(f"it asked: {question.text}")


@asynccontextmanager
async def masters(nodes: SshNodes, asker: Any = None, **changed: object) -> AsyncIterator[Masters]:
    found = Masters(nodes.settings(**changed), asker or Nobody(), LOG)
    try:
        yield found
    finally:
        await found.close()


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 60))


@pytest.fixture
def display(tmp_path: Path) -> Iterator[Path]:
    """A unix socket at the "node" that echoes, as a display's would be."""
    path = tmp_path / "x.sock"
    program = "import socket,sys,threading\nl=socket.socket(socket.AF_UNIX);l.bind(sys.argv[1]);l.listen()\n" + (
        "def serve(c):\n  while d:=c.recv(65536): c.sendall(d)\n"
        "while True: threading.Thread(target=serve,args=(l.accept()[0],),daemon=True).start()"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)]) as process:
        eventually(lambda: path.exists() and listens(path), 10, "the display")
        yield path
        process.kill()


def listens(path: Path) -> bool:
    """Whether anybody does: a socket is there before that."""
    with socket.socket(socket.AF_UNIX) as connection:
        return not connection.connect_ex(str(path))


async def echoed(forward: Forward, text: bytes = b"hello") -> bytes:
    """What comes back through a forward."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, str(forward.path))
        with contextlib.suppress(ConnectionError):  # it may have ended already
            await loop.sock_sendall(connection, text)
            return await asyncio.wait_for(loop.sock_recv(connection, 100), 5)
        return b""


def ssh_processes() -> list[int]:
    """The ssh clients that this process has started and that run on."""
    found = []
    for pid in children(os.getpid()):
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if Path(f"/proc/{pid}/comm").read_text() == "ssh\n" and state != "Z":
                found.append(pid)
    return found


def test_ten_sessions_on_a_node_share_one_connection(nodes: SshNodes, display: Path) -> None:
    server = nodes.add("node1")
    targets = [str(display)] + [f"{display}.{number}" for number in range(9)]
    took, login = [], 0.0

    async def work() -> None:
        nonlocal login
        async with masters(nodes) as found:
            before = time.monotonic()
            ways = await asyncio.gather(*(found.forward("node1", str(display)) for _ in range(10)))
            login = time.monotonic() - before
            assert len({way[1].path for way in ways}) == 1
            for target in targets[1:]:
                before = time.monotonic()
                await found.forward("node1", target)
                took.append(time.monotonic() - before)
            await aeventually(lambda: ssh_processes() == [ways[0][0].pid], 10, "one ssh alone")
            assert await echoed(ways[0][1]) == b"hello"
        assert ssh_processes() == []

    run(work)
    assert server.logins() == 1
    assert statistics.median(took) < login / 2  # 8 to 12 ms on an idle machine, where a login takes 200


def test_a_cancellation_that_is_lost_does_not_hold_up_a_login(
    nodes: SshNodes, display: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes.add("node1")
    lost: list[bool] = []
    listen = Terminal.listen

    async def listening(self: Terminal, seconds: float) -> str | None:
        try:
            return await listen(self, seconds)
        except asyncio.CancelledError:  # what wait_for does before Python 3.12, when its result comes just then
            if lost:
                raise
            lost.append(True)
            return ""

    monkeypatch.setattr(Terminal, "listen", listening)

    async def work() -> None:
        async with masters(nodes) as found:
            _, forward = await asyncio.wait_for(found.forward("node1", str(display)), 20)
            assert await echoed(forward) == b"hello"

    run(work)
    assert lost


PICTURE = 50 * 1024
PICTURES = 25


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[Path]:
    """A display at the "node" that draws 30 pictures a second, each with the time in it."""
    path = tmp_path / "moving.sock"
    program = (
        "import socket,struct,sys,threading,time\nl=socket.socket(socket.AF_UNIX);l.bind(sys.argv[1]);l.listen()\n"
        + (
            "def draw(c):\n  while True: c.sendall(struct.pack('d',time.monotonic()).ljust(51200)); time.sleep(0.033)\n"
            "while True: threading.Thread(target=draw,args=(l.accept()[0],),daemon=True).start()"
        )
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stderr=subprocess.DEVNULL) as process:
        eventually(path.exists, 10, "the display's socket")
        yield path
        process.kill()


async def picture_times(forward: Forward) -> list[float]:
    """How long each of some pictures took through a forward, ms."""
    reader, writer = await asyncio.open_unix_connection(str(forward.path))
    took = []
    for _ in range(PICTURES):
        picture = await reader.readexactly(PICTURE)
        took.append((time.monotonic() - struct.unpack_from("d", picture)[0]) * 1000)
    writer.close()
    return took


def test_pictures_are_not_held_back(nodes: SshNodes, moving: Path) -> None:
    """Without a first command, sshd holds back the end of each picture: half of them for 15 ms, a tenth for 36 ms."""
    nodes.add("node1")
    best: list[float] = []

    async def work() -> None:
        async with masters(nodes) as found:
            _, forward = await found.forward("node1", str(moving))
            await aeventually(lambda: len(ssh_processes()) == 1, 10, "the end of the command")
            for _ in range(5):  # on a machine that does much else, the best of some rounds counts
                best.append(statistics.quantiles(await picture_times(forward), n=10)[8])
                if best[-1] < 10:
                    break

    run(work)
    print(f"90 % of pictures within {min(best):.1f} ms")
    assert min(best) < 20


def test_a_node_that_runs_no_commands_still_carries_displays(nodes: SshNodes, display: Path) -> None:
    server = nodes.add("node1", "MaxSessions 0")

    async def work() -> None:
        async with masters(nodes) as found:
            master, forward = await found.forward("node1", str(display))
            await aeventually(lambda: ssh_processes() == [master.pid], 10, "the end of the command")
            assert await echoed(forward) == b"hello"
            assert await master.explain() is None

    run(work)
    assert server.log.count("Connection from") == 1, "the command goes by no other way"


def test_nobody_else_reaches_the_sockets_and_nothing_stays(nodes: SshNodes, display: Path) -> None:
    nodes.add("node1")

    async def work() -> None:
        async with masters(nodes) as found:
            _, forward = await found.forward("node1", str(display))
            folder = forward.path.parent
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert len(str(forward.path)) <= 60  # ssh adds 17 characters for a moment; 107 bytes are the limit
            for path in folder.iterdir():
                assert stat.S_ISSOCK(path.stat().st_mode)
                assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert len(list(folder.iterdir())) == 2
        assert not folder.exists()

    run(work)


def test_a_killed_connection_ends_its_streams_and_is_replaced(nodes: SshNodes, display: Path) -> None:
    server = nodes.add("node1")

    async def work() -> None:
        async with masters(nodes) as found:
            master, forward = await found.forward("node1", str(display))
            reader, writer = await asyncio.open_unix_connection(str(forward.path))
            writer.write(b"mid")
            assert await reader.read(100) == b"mid"
            assert master.pid
            os.kill(master.pid, signal.SIGKILL)
            assert await asyncio.wait_for(reader.read(100), 2) == b""
            writer.close()
            await aeventually(lambda: not master.alive, 2, "the end of the master")
            second, again = await found.forward("node1", str(display))
            assert second.pid != master.pid
            assert await echoed(again) == b"hello"
            assert not forward.path.exists()
            assert len(list(again.path.parent.iterdir())) == 2

    run(work)
    assert server.logins() == 2


def test_a_forward_that_is_asked_for_just_when_the_connection_dies_is_made_on_the_next(
    nodes: SshNodes, display: Path
) -> None:
    nodes.add("node1")

    async def work() -> None:
        async with masters(nodes) as found:
            master, _ = await found.forward("node1", f"{display}.0")
            assert master.pid
            os.kill(master.pid, signal.SIGSTOP)
            asking = asyncio.create_task(found.forward("node1", str(display)))
            await asyncio.sleep(0.3)
            os.kill(master.pid, signal.SIGKILL)
            _, forward = await asking
            assert await echoed(forward) == b"hello"

    run(work)


def test_an_unknown_host_key_is_refused_and_nobody_is_asked(nodes: SshNodes) -> None:
    # Not even where the user's own configuration would take any key.
    nodes.user_options = ["StrictHostKeyChecking no", "LogLevel QUIET"]
    server = nodes.add("node1", known=False)
    refused(nodes, Unreachable, "host-key-unknown")
    assert server.logins() == 0
    assert nodes.known_hosts.read_text() == ""


def test_a_changed_host_key_is_refused_even_where_unknown_ones_are_asked_about(nodes: SshNodes) -> None:
    server = nodes.add("node1")
    server.stop()
    for path in nodes.root.glob("node1.host*"):
        path.unlink()
    server.start()
    for ask in (False, True):
        refused(nodes, IdentityMismatch, "host-key-changed", ask_unknown_hosts=ask)
    assert server.logins() == 0


def refused(nodes: SshNodes, kind: type[QConnectError], reason: str, node: str = "node1", **changed: object) -> str:
    """The message with which the way to a node is refused."""

    async def work() -> None:
        async with masters(nodes, **changed) as found:
            with pytest.raises(kind) as caught:
                await found.forward(node, "/tmp/x.sock")
            assert caught.value.reason == reason  # type: ignore[attr-defined]
            messages.append(str(caught.value))
            assert ssh_processes() == []

    messages: list[str] = []
    run(work)
    return messages[0]


def test_nothing_of_the_users_configuration_opens_another_door(nodes: SshNodes, display: Path) -> None:
    port = nodes.add("node2").port
    nodes.user_options = [
        f"LocalForward {nodes.root}/leak.sock {display}",
        f"DynamicForward {nodes.root}/socks.sock",
        "ForwardAgent yes",
        "ForwardX11 yes",
        "PermitLocalCommand yes",
        f"LocalCommand touch {nodes.root}/ran",
        "ControlPersist yes",
        f"RemoteForward {nodes.root}/back.sock 127.0.0.1:{port}",
    ]
    server = nodes.add("node1")

    async def work() -> None:
        async with masters(nodes) as found:
            _, forward = await found.forward("node1", str(display))
            assert await echoed(forward) == b"hello"
            assert not [name for name in ("leak.sock", "back.sock", "ran") if (nodes.root / name).exists()]
            assert "agent" not in server.log
        assert ssh_processes() == []

    run(work)


def test_a_node_that_hangs_up_because_it_is_busy_is_tried_again(nodes: SshNodes, display: Path) -> None:
    server = nodes.add("node1", "MaxStartups 1:100:1", "LoginGraceTime 20")

    async def work() -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as held:
            await aeventually(lambda: "Connection from" in server.log, 5, "the other login")
            asyncio.get_running_loop().call_later(0.3, held.close)
            async with masters(nodes) as found:
                _, forward = await found.forward("node1", str(display))
                assert await echoed(forward) == b"hello"

    run(work)
    assert "MaxStartups" in server.log


def test_at_most_four_logins_are_under_way(nodes: SshNodes, monkeypatch: pytest.MonkeyPatch) -> None:
    under_way = [0]

    async def slow(self: Master, asker: Any) -> None:
        under_way[0] += 1
        most.append(under_way[0])
        await asyncio.sleep(0.05)
        under_way[0] -= 1
        raise Unreachable("not today", reason="timeout")

    most: list[int] = []
    monkeypatch.setattr(Master, "open", slow)

    async def work() -> None:
        async with masters(nodes) as found:
            await asyncio.gather(*(found.forward(f"n{i}", "/x") for i in range(12)), return_exceptions=True)

    run(work)
    assert len(most) == 12
    assert max(most) == 4


def test_a_failure_stands_for_a_while_unless_the_user_wants_another_try(nodes: SshNodes) -> None:
    server = nodes.add("node1", known=False)

    async def work() -> None:
        async with masters(nodes) as found:
            before = server.log.count("Connection from")
            for _ in range(3):
                with pytest.raises(Unreachable, match="host key of node1 is not known"):
                    await found.forward("node1", "/tmp/x.sock")
            assert server.log.count("Connection from") == before + 1
            found.retry("node1")
            with pytest.raises(Unreachable):
                await found.forward("node1", "/tmp/x.sock")
            assert server.log.count("Connection from") == before + 2

    run(work)


def test_what_nothing_goes_through_is_closed_and_what_is_used_is_not(
    nodes: SshNodes, display: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes.add("node1")

    async def work() -> None:
        async with masters(nodes, idle_s=0.4) as found:
            master, forward = await found.forward("node1", str(display))
            await found.forward("node1", f"{display}.unused")
            reader, writer = await asyncio.open_unix_connection(str(forward.path))
            await aeventually(lambda: len(list(forward.path.parent.iterdir())) == 2, 5, "the end of the unused forward")
            assert master.alive
            writer.write(b"still")
            assert await reader.read(100) == b"still"
            writer.close()
            await aeventually(lambda: not master.alive, 5, "the end of the idle connection")
            assert ssh_processes() == []
            _, again = await found.forward("node1", str(display))
            assert await echoed(again) == b"hello"

    run(work)


def test_a_terminal_goes_over_the_open_connection_and_keeps_it(nodes: SshNodes, display: Path) -> None:
    server = nodes.add("node1")

    async def work() -> None:
        async with masters(nodes, idle_s=0.4) as found:
            with found.sharing("node1") as words:
                assert words == []  # nothing is opened for it
            master, forward = await found.forward("node1", str(display))
            with found.sharing("node1") as words:
                await aeventually(lambda: not forward.path.exists(), 5, "the end of the unused forward")
                argv = ["ssh", "-F", str(nodes.config), *words, "--", "node1", "echo $((40+2))-there"]
                pipe = asyncio.subprocess.PIPE
                process = await asyncio.create_subprocess_exec(*argv, stdout=pipe, stdin=asyncio.subprocess.DEVNULL)
                out, _ = await asyncio.wait_for(process.communicate(), 20)
                assert out == b"42-there\n"
                assert master.alive
            await aeventually(lambda: not master.alive, 5, "the end of the idle connection")

    run(work)
    assert server.logins() == 1


def test_no_connection_outlives_a_server_that_was_killed(
    nodes: SshNodes, display: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = nodes.add("node1")
    program = f"""
import asyncio, logging
from qconnect_web.transports.ssh.masters import Masters
from qconnect_web.config import QConnect
from qconnect_web.site import ssh_settings
async def main():
    masters = Masters(ssh_settings(QConnect(ssh_config={str(nodes.config)!r})), None, logging.getLogger())
    master, forward = await masters.forward("node1", {str(display)!r})
    print(master.pid, forward.path.parent, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as process:
        assert process.stdout
        pid, folder = process.stdout.readline().split()
        assert Path(f"/proc/{pid}").exists()
        process.kill()
    eventually(lambda: not Path(f"/proc/{pid}").exists(), 5, "the end of ssh")
    eventually(lambda: not children(server.process.pid), 5, "the end of the login")  # type: ignore[union-attr]
    assert Path(folder).exists()
    monkeypatch.setattr(ssh_masters, "NEW_S", -1)
    living = PrivateFolder()
    try:
        assert not Path(folder).exists()
        other = PrivateFolder()
        other.remove()
        assert living.path.exists()
    finally:
        living.remove()


def test_a_node_that_forbids_forwarding_says_so(nodes: SshNodes, display: Path) -> None:
    nodes.add("node1", "AllowStreamLocalForwarding no")

    async def work() -> None:
        async with masters(nodes) as found:
            master, forward = await found.forward("node1", str(display))
            assert await master.explain() is None
            assert await echoed(forward) == b""
            assert "AllowStreamLocalForwarding" in str(await master.explain())
            assert await master.explain() is None  # once: the next failure may have another reason

    run(work)


def test_other_failures_are_told_in_words(nodes: SshNodes, tmp_path: Path) -> None:
    nodes.add("node1").stop()
    assert "cannot be reached by ssh" in refused(nodes, Unreachable, "unreachable")
    assert "does not know where" in refused(nodes, Unreachable, "unreachable", node="nosuch.invalid")
    assert "ssh_command" in refused(nodes, Unreachable, "no-ssh", command="no-such-ssh")


def test_without_a_key_the_login_is_refused_in_words(nodes: SshNodes, tmp_path: Path) -> None:
    server = nodes.add("node1", "PasswordAuthentication no", "KbdInteractiveAuthentication no")
    shutil.move(nodes.key, nodes.root / "old")
    new_key(nodes.root / "other")
    shutil.move(nodes.root / "other", nodes.key)
    assert "did not let you in" in refused(nodes, Unreachable, "login-refused")
    assert server.logins() == 0
