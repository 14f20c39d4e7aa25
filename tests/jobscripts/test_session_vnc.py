"""VNC desktops on real TigerVNC: where they listen, who gets in, what runs in them, and what they leave."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import trustme

from qconnect_web.values.session import Connection
from tests.jobscripts.test_session_access import write_pair
from tests.support.deadline import eventually
from tests.support.script_run import ScriptRun, app, ask, client_context

VNC = app("xterm", kind="vnc")


@pytest.fixture
def run(tmp_path: Path) -> ScriptRun:
    return ScriptRun(tmp_path)


def xstartup(run: ScriptRun, script: str) -> None:
    """The user's own, executable."""
    path = run.home / ".vnc/xstartup"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)


def listeners() -> dict[int, str]:
    """{port: program} of every TCP socket of this machine that waits for strangers, as `ss` sees them."""
    done = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, timeout=10, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {int(row[3].rpartition(":")[2]): row[5] if len(row) > 5 else "" for row in rows}


def take(plain: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = plain.recv(size - len(found))
        assert part, found
        found += part
    return found


def desktop_size(run: ScriptRun) -> tuple[int, int]:
    """The desktop's size, as a native viewer learns it through the run's own keys (RFC 6143, sections 7.1 to 7.3)."""
    connection = Connection.from_json(run.read("connection.json") or {})
    context = client_context(run.folder, run.folder / "client.pem")
    with (
        socket.create_connection(("127.0.0.1", connection.port or 0), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="qconnect-server") as secured,
    ):
        secured.sendall(b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: rfb\r\n\r\n")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += take(secured, 1)
        assert head.startswith(b"HTTP/1.1 101 ")
        assert take(secured, 12) == b"RFB 003.008\n"
        secured.sendall(b"RFB 003.008\n")
        assert take(secured, take(secured, 1)[0]) == b"\x01"  # the one security type: None
        secured.sendall(b"\x01")
        assert take(secured, 4) == bytes(4)
        secured.sendall(b"\x01")
        width, height = struct.unpack("!HH", take(secured, 4))
        return width, height


def test_a_desktop_opens_and_listens_on_its_published_port_only(run: ScriptRun) -> None:
    before = listeners()
    with run.by_hand(VNC):
        connection = Connection.from_json(run.ready())
        assert (connection.protocol, connection.xpra) == ("rfb", "")
        new = {port: program for port, program in listeners().items() if before.get(port) != program}
        assert not [program for program in new.values() if "vnc" in program.lower()]
        assert run.listening() == [connection.port]
        assert ask(connection.port or 0, client_context(run.folder, run.folder / "client.pem")).endswith(
            b"RFB 003.008\n"
        )
        command = psutil.Process(run.pid("vnc")).cmdline()
        assert command[command.index("-rfbport") + 1] == "-1"


def test_several_desktops_on_one_node_have_nothing_in_common(tmp_path: Path) -> None:
    runs = [ScriptRun(tmp_path).by_hand(VNC) for _ in range(2)]
    with runs[0], runs[1]:
        found = [run.ready() for run in runs]
        assert len({one["port"] for one in found}) == len({one["display"] for one in found}) == 2
        for run, other in zip(runs, runs[::-1], strict=True):
            port = run.read("connection.json")["port"]  # type: ignore[index]  # ready() saw it
            assert ask(port, client_context(run.folder, run.folder / "client.pem"))
            assert ask(port, client_context(run.folder, other.folder / "client.pem")) == b""


def test_only_the_runs_own_key_gets_in(run: ScriptRun, tmp_path: Path) -> None:
    authority = trustme.CA()
    stranger = write_pair(tmp_path, authority.issue_cert("somebody"))
    (tmp_path / "system.pem").write_bytes(authority.cert_pem.bytes())
    run.env["SSL_CERT_FILE"] = str(tmp_path / "system.pem")
    with run.by_hand(VNC):
        port = run.ready()["port"]
        for wrong in (client_context(run.folder, None), client_context(run.folder, stranger), None):
            assert ask(port, wrong) == b""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("context.verify_mode = ssl.CERT_REQUIRED", "return context, None"),
        ("-rfbport -1 ", "-rfbport 47801 "),
        ("-rfbunixmode 0600", "-rfbunixmode 0666"),
    ],
)
def test_a_desktop_that_lets_others_in_is_closed_again(run: ScriptRun, old: str, new: str) -> None:
    with run.by_hand(VNC).change(old, new):
        end = run.ended()
        assert end["reason"] == "open-without-certificate"
        assert "Tell your administrator" in end["message"]
        assert not run.text("connection.json")
        assert run.exit_status() == 70
        assert not run.living()


def test_sockets_that_cannot_be_seen_count_as_open(run: ScriptRun) -> None:
    with run.by_hand(VNC).change("qc_find_sockets vnc", "qc_sockets="):
        assert run.ended()["reason"] == "open-without-certificate"


def test_on_one_machine_it_needs_no_port(run: ScriptRun) -> None:
    with run.tagged(VNC, bind="socket"):
        connection = Connection.from_json(run.ready())
        assert connection.port is None
        assert run.listening() == []
        modes = {path.name: path.stat().st_mode & 0o777 for path in (run.runtime or run.home).glob("*.sock")}
        assert modes == {"x.sock": 0o600, "rfb.sock": 0o600}


def test_its_size_is_the_waiting_windows_or_the_apps(tmp_path: Path) -> None:
    plain, fitted = ScriptRun(tmp_path).tagged(VNC), ScriptRun(tmp_path).tagged(VNC)
    (fitted.folder / "screen").write_text("913x577\n")
    with plain, fitted:
        plain.ready()
        fitted.ready()
        assert desktop_size(plain) == (1280, 1024)
        assert desktop_size(fitted) == (913, 577)


def test_the_users_own_xstartup_is_the_desktop(run: ScriptRun) -> None:
    xstartup(run, 'echo "$QCONNECT $DBUS_SESSION_BUS_ADDRESS" >said; sleep 1 & wait; exit 9')
    with run.by_hand(app("no-such-desktop", kind="vnc")):
        end = run.ended()
        assert (end["reason"], end["exit_status"]) == ("app-exit", 9)
        assert (run.home / "said").read_text().startswith("vnc unix:")


def test_an_xstartup_that_is_not_executable_is_left_alone(run: ScriptRun) -> None:
    xstartup(run, "exit 9")
    (run.home / ".vnc/xstartup").chmod(0o644)
    with run.by_hand(app("no-such-desktop", kind="vnc")):
        assert "`no-such-desktop` was not found" in run.ended()["message"]


def test_a_node_without_tigervnc_says_what_to_do(run: ScriptRun) -> None:
    with run.by_hand(VNC).change("for name in Xtigervnc Xvnc", "for name in Xnowhere"):
        end = run.ended()
        assert end["reason"] == "vnc-missing"
        assert "TigerVNC's server (Xtigervnc or Xvnc) is not installed on node" in end["message"]
        assert "Ask your administrator" in end["message"]
        assert run.exit_status() == 127


def test_a_vnc_server_of_another_maker_is_not_taken(run: ScriptRun) -> None:
    other = run.home / "bin/Xother"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\necho 'TightVNC 1.3.10'\n")
    other.chmod(0o755)
    run.env["PATH"] += f":{other.parent}"
    with run.by_hand(VNC).change("for name in Xtigervnc Xvnc", "for name in Xother"):
        assert run.ended()["reason"] == "vnc-missing"


def test_a_door_that_cannot_be_opened_says_so(run: ScriptRun) -> None:
    with run.by_hand(VNC).change("import asyncio\n", "import no_such_module\n"):
        end = run.ended()
        assert end["reason"] == "not-ready"
        assert "python3" in end["message"]


def test_a_taken_port_makes_the_door_move_on(run: ScriptRun) -> None:
    run.by_hand(VNC).change("|| ! qc_port_taken; then", "|| true; then").change("for ((round = 1;", "for ((round = 2;")
    taken = 20000 + int(run.job.partition(".")[0]) % 10000
    with socket.create_server(("", taken)), run:
        assert run.ready(60)["port"] != taken


@pytest.mark.parametrize(
    ("happen", "reason"),
    [
        (ScriptRun.cancel, "cancelled"),
        (lambda run: os.kill(run.pid("vnc"), signal.SIGKILL), "xpra-died"),
        (lambda run: os.kill(run.pid("door"), signal.SIGKILL), "xpra-died"),
        (lambda run: os.kill(run.pid("supervisor"), signal.SIGKILL), "xpra-died"),
    ],
    ids=["cancelled", "vnc", "door", "supervisor"],
)
def test_whatever_ends_it_nothing_is_left(run: ScriptRun, happen: Callable[[ScriptRun], object], reason: str) -> None:
    with run.by_hand(VNC):
        display, runtime = run.ready()["display"], run.runtime
        happen(run)
        assert run.ended()["reason"] == reason
        eventually(lambda: not run.leftovers(display, runtime), 5, f"{run.living()} to be gone")
