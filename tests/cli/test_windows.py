"""Windows on the user's own display: real xpra on both sides, the user's screen a real X server."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pexpect
import psutil
import pytest
import trustme

from qconnect_web.cli.forwarder import dial, forward
from qconnect_web.cli.native_viewer import command
from qconnect_web.errors import IdentityMismatch, Unreachable
from qconnect_web.relay.pinned_tls import fingerprint_of
from qconnect_web.transports.endpoint import Endpoint
from qconnect_web.values.job import Job, JobSpec, JobState
from qconnect_web.values.session import Connection, Record, Session
from tests.cli.command_line import PROMPT, CommandLine, detach, finish
from tests.cli.xscreen import RED, UserScreen
from tests.support.deadline import aeventually, eventually


@pytest.fixture(scope="module")
def screen() -> Iterator[UserScreen]:
    """The user's screen, empty when a test begins."""
    found = UserScreen()
    yield found
    found.close()


@pytest.fixture(scope="module")
def window(busy_cli: CommandLine) -> str:
    """A session with a red window that is READY; who uses it leaves it so."""
    return busy_cli.ready("-g", PAINTER)


PAINTER = f"xterm -geometry 40x10 -bg {RED} -fg {RED} -cr {RED} +sb -bc -e sleep 1000"


def viewers(home: Path) -> list[psutil.Process]:
    """The user's xpra viewers of this home."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("HOME") == str(home) and "attach" in process.cmdline():
                found.append(process)
    return found


def leave_and_come_back(
    cli: CommandLine, job_id: str, child: pexpect.spawn[str], screen: UserScreen, first: int, hint: int = 0
) -> None:
    """Ctrl-C leaves the program running; another viewer shows `first`, as this one did, until the session is ended.

    The viewer itself may cover so many pixels of it with a `hint`.
    """
    child.sendintr()
    status, text = finish(child)
    assert (status, "goes on" in text) == (0, True), text
    eventually(lambda: not viewers(cli.home), 10, "the viewer's end")
    screen.await_red(0)
    assert cli.state(job_id) == "READY"
    again = cli.spawn("--connect-gui", job_id, DISPLAY=screen.display)
    assert abs(screen.settled_red() - first) <= hint
    assert cli.run("--stop", job_id).returncode == 0
    status, text = finish(again)
    assert (status, "has ended" in text) == (0, True), text


def test_windows_are_shown_left_and_shown_again(tmp_path: Path, screen: UserScreen) -> None:
    """Over the pinned TLS; the tests below have a socket."""
    cli = CommandLine(tmp_path, transport="tls")
    try:
        job_id = cli.ready("-g", PAINTER)
        screen.await_red(0)
        child = cli.spawn(job_id, DISPLAY=screen.display)
        child.expect("the program goes on")
        first = screen.settled_red()
        arguments = " ".join(" ".join(process.cmdline()) for process in viewers(cli.home))
        assert ".key" not in arguments
        assert ".pem" not in arguments
        leave_and_come_back(cli, job_id, child, screen, first)
    finally:
        cli.close()


def test_closing_the_window_leaves_the_program(busy_cli: CommandLine, window: str, screen: UserScreen) -> None:
    child = busy_cli.spawn(window, DISPLAY=screen.display)
    screen.settled_red()
    eventually(lambda: screen.windows("xterm"), 10, "the window by its class")
    screen.close_window("xterm")
    status, text = finish(child)
    assert (status, "goes on" in text) == (0, True), text
    assert busy_cli.state(window) == "READY"


def test_the_windows_of_a_terminal_come_and_go_with_it(cli: CommandLine, screen: UserScreen) -> None:
    job_id = cli.ready()
    child = cli.spawn(job_id, DISPLAY=screen.display)
    child.expect_exact(PROMPT)
    child.sendline(f"{PAINTER} &")
    first = screen.settled_red()
    assert detach(child)[0] == 0
    eventually(lambda: not viewers(cli.home), 10, "the viewer's end")
    screen.await_red(0)
    back = cli.spawn(job_id, DISPLAY=screen.display)
    assert screen.settled_red() == first
    detach(back)


def test_a_vnc_desktop_is_shown_by_vncviewer_and_left(tmp_path: Path, screen: UserScreen) -> None:
    cli = CommandLine(tmp_path, transport="tls")
    (tmp_path / ".vnc").mkdir()
    (tmp_path / ".vnc/xstartup").write_text(f"#!/bin/sh\nxsetroot -solid {RED}\nexec sleep 1000\n")
    (tmp_path / ".vnc/xstartup").chmod(0o755)
    try:
        job_id = cli.ready("--vnc")
        child = cli.spawn("--vnc", DISPLAY=screen.display)
        child.expect_exact(f"Connecting to session {job_id}")
        first = screen.settled_red()
        assert first > 100_000
        leave_and_come_back(cli, job_id, child, screen, first, hint=20_000)  # about its menu key, after half a second
    finally:
        cli.close()


def test_without_a_display_the_browser_is_the_way(busy_cli: CommandLine, window: str) -> None:
    status, text = finish(busy_cli.spawn(window, DISPLAY=None))
    assert status == 0
    assert f"/qconnect/{window}/" in text
    assert "no X display here" in text
    assert f"qconnect --connect-gui {window}" in text
    assert "xpra attach" not in text  # on a socket there is nothing for another machine


def test_without_xpra_here_the_browser_is_the_way(
    busy_cli: CommandLine, window: str, screen: UserScreen, tmp_path: Path
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("env", "bash", "python3"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    status, text = finish(busy_cli.spawn(window, DISPLAY=screen.display, PATH=str(tools)))
    assert (status, "xpra is not installed here" in text) == (0, True)
    assert "xpra is not installed here" in " ".join(busy_cli.run("-h", PATH=str(tools)).stdout.split())


def test_the_native_command_names_files_and_no_secret() -> None:
    connection = Connection("r", "1.local", "n1", 20001, None, ":1", "3.1.3", "f" * 64, 0.0)
    record = Record("k", "xterm", "XTerm", JobSpec("x"), ("xterm",), 0.0)
    found = command(Session(record, Job("1.local", JobState.RUNNING), connection), Path("/home/u/k"))
    assert found is not None
    assert found.startswith("xpra attach ssl://n1:20001/")
    assert "--ssl-key=/home/u/k/client.key" in found
    assert "--window-close=disconnect" in found


def test_a_broken_display_is_told_with_xpras_own_words(busy_cli: CommandLine, window: str) -> None:
    status, text = finish(busy_cli.spawn(window, DISPLAY=":6543"))
    assert status == 4, text
    assert "xpra could not show" in text
    assert busy_cli.state(window) == "READY"


# ---------------------------------------------------------------------- the forwarder
CONNECTION = Connection("r", "1.local", "n1", None, "/s", ":1", "3.1.3", "0" * 64, 0.0)


async def exchange(path: Path, data: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(data)
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(65536), 10)
    await close(writer)
    return answer


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def test_the_forwarders_socket_is_private_and_goes_with_it(tmp_path: Path) -> None:
    async def go() -> tuple[int, int, bytes, Path]:
        far = tmp_path / "far.sock"
        server = await asyncio.start_unix_server(echo, str(far))

        async def target() -> tuple[Connection, Endpoint]:
            return CONNECTION, Endpoint(socket=far)

        async with server, forward(target) as (path, _):
            modes = path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777
            return *modes, await exchange(path, b"hello"), path

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))
        await close(writer)

    socket_mode, folder_mode, answer, path = asyncio.run(go())
    assert (socket_mode, folder_mode, answer) == (0o600, 0o700, b"hello")
    assert not path.parent.exists()


@pytest.mark.parametrize("ours", [True, False])
def test_only_the_holder_of_the_runs_key_gets_a_byte(tmp_path: Path, ours: bool) -> None:
    """The chain is good both times: it is the fingerprint of the run that decides."""
    authority = trustme.CA()
    certificate = authority.issue_cert("qconnect-server")
    server_context, client_context = (
        ssl.SSLContext(kind) for kind in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT)
    )
    certificate.configure_cert(server_context)
    authority.configure_trust(client_context)
    der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    published = replace(CONNECTION, fingerprint=fingerprint_of(der) if ours else "0" * 64)
    seen: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(100))
        await close(writer)

    async def go() -> None:
        async with await asyncio.start_server(hear, "127.0.0.1", 0, ssl=server_context) as server:
            endpoint = Endpoint(
                hosts=("127.0.0.1",),
                port=server.sockets[0].getsockname()[1],
                context=client_context,
                server_hostname="qconnect-server",
            )

            async def target() -> tuple[Connection, Endpoint]:
                return published, endpoint

            async with forward(target) as (path, way):
                await exchange(path, b"hello")
                await aeventually(lambda: seen, 10)
                assert isinstance(way.failed, IdentityMismatch) is not ours

    asyncio.run(go())
    assert seen == [b"hello" if ours else b""]


def test_a_socket_that_somebody_else_listens_on_gets_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for above in tmp_path.parents[:3]:
        above.chmod(above.stat().st_mode | 0o011)
    path = tmp_path / "x.sock"
    code = (
        f"import os, socket\nos.setuid(65534)\ns = socket.socket(socket.AF_UNIX)\ns.bind({str(path)!r})\ns.listen()\n"
        "print('up', flush=True)\ns.settimeout(20)\nprint(s.accept()[0].recv(9), flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as stranger:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == "up\n"

        async def go() -> None:
            with pytest.raises(IdentityMismatch):
                await dial(CONNECTION, Endpoint(socket=path))

        asyncio.run(go())
        assert stranger.stdout.readline() == "b''\n"


def test_nobody_there_is_said(tmp_path: Path) -> None:
    async def go() -> None:
        with pytest.raises(Unreachable, match="Nobody answers"):
            await dial(CONNECTION, Endpoint(socket=tmp_path / "none"))

    asyncio.run(go())
