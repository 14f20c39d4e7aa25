"""The data path against Debian's real xpra: mutual TLS and unix socket, files, websocket, and its own protocol."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.sync.client import connect

from qconnect_web.transports.keys import pinned_context
from qconnect_web.transports.local import LocalTransport
from tests.support.deadline import eventually
from tests.support.jupyter_here import BASE, VIEWER, Jupyter, settle
from tests.support.ports import own_port
from tests.support.session_run import Run

pytestmark = pytest.mark.skipif(shutil.which("xpra") is None, reason="xpra is not installed")
OPTIONS = """
--daemon=no --bind=none --html=on --ssh-upgrade=no --rfb-upgrade=0 --mdns=no --start-new-commands=no
--systemd-run=no --sharing=yes --dbus-launch= --dbus-control=no --dbus-proxy=no --pulseaudio=no
--speaker=disabled --microphone=disabled --printing=no --webcam=no --open-files=no --notifications=no
--system-tray=no --bell=no --forward-xdg-open=no --input-devices=xtest --opengl=noprobe
"""
XVFB = "--xvfb=Xvfb -extension GLX +extension Composite -screen 0 1024x768x24+32 -nolisten tcp -noreset -auth {}"


@pytest.fixture
def xpra(run: Run, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Starts xpra as a job does, waits for its `ready`, and publishes it."""
    home = Path(os.environ.get("TMPDIR", "/tmp")) / f"qcx-{os.getpid()}-{run.key[:4]}"
    home.mkdir(mode=0o700)
    (home / "Xauthority").touch(mode=0o600)
    (home / "conf").mkdir()
    (home / "conf/xpra.conf").write_text("fake-xinerama = no\n")
    processes = []

    def start(*bind: str, ask: Callable[[], bytes]) -> None:
        environment = {
            **os.environ,
            "XPRA_SYSTEM_CONF_DIRS": str(home / "conf"),
            "SSL_CERT_FILE": str(run.folder / "client.pem"),
            "SSL_CERT_DIR": "/nonexistent",
            "XAUTHORITY": str(home / "Xauthority"),
            "XDG_RUNTIME_DIR": str(home),
            "HOME": str(home),
        }
        xvfb = XVFB.format(home / "Xauthority")
        command = ["xpra", "start", f":{7000 + os.getpid() % 1000}", *OPTIONS.split(), *bind, xvfb]
        with (home / "log").open("wb") as log:
            processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True))

        def ready() -> bool:
            assert processes[-1].poll() is None, (home / "log").read_text()
            with suppress(OSError):
                return b" 200 " in ask()
            return False

        eventually(ready, timeout=60, what="xpra ready")

    yield start
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)
    shutil.rmtree(home, ignore_errors=True)


def status_of(connection: socket.socket) -> bytes:
    """The first line that xpra answers to /Status."""
    with connection:
        connection.sendall(b"GET /Status HTTP/1.0\r\n\r\n")
        return connection.recv(100)


def hello() -> bytes:
    """xpra's first packet, in the encoding that every version up to 5 reads (bencode), as its HTML5 client sends it."""
    facts = b"".join(
        b"%d:%s%s" % (len(name), name, value)
        for name, value in sorted(
            {
                b"version": b"5:3.1.3",
                b"bencode": b"i1e",
                b"rencode": b"i0e",
                b"yaml": b"i0e",
                b"encodings": b"l3:rgb3:pnge",
                b"share": b"i1e",
                b"client_type": b"5:HTML5",
                b"uuid": b"32:" + b"0" * 32,
            }.items()
        )
    )
    body = b"l5:hellod" + facts + b"ee"
    return struct.pack(">cBBBL", b"P", 0, 0, 0, len(body)) + body


def talk(jupyter: Jupyter, path: str, origin: str | None) -> bytes:
    """What xpra says to a hello through the proxy."""
    url = f"ws://127.0.0.1:{jupyter.port}{path}"
    headers = {} if origin else {"Authorization": f"token {jupyter.token}"}
    found = connect(url, additional_headers=headers, origin=origin, subprotocols=["binary"], proxy=None)  # type: ignore[arg-type,list-item]  # they are newtypes of str
    with found as websocket:
        assert websocket.subprotocol == "binary"
        websocket.send(hello())
        content = b""
        while b"hello" not in content and len(content) < 1_000_000:
            content += bytes(websocket.recv(timeout=20))  # type: ignore[arg-type]  # xpra's frames are binary
    settle(jupyter)
    return content


def use_all(jupyter: Jupyter, run: Run) -> None:
    """A websocket by token, then page, script and websocket by ticket."""
    assert b"hello" in talk(jupyter, f"{BASE}qconnect/17.local/ws/{VIEWER}", None)
    ticket = jupyter.tickets.issue(run.key, run.run, VIEWER)
    folder = f"{BASE}qconnect/17.local/t/{ticket}/"
    page = jupyter.ask(folder + "index.html", {"Origin": "null"})
    assert page.status == 200
    assert b"js/Client.js" in page.body
    assert "'sha256-" in page["Content-Security-Policy"]
    script = jupyter.ask(folder + "js/Client.js", {"Accept-Encoding": "gzip, br"})
    assert script.status == 200
    assert script["Content-Type"].partition(";")[0] in ("application/javascript", "text/javascript")
    if not script["Content-Encoding"]:
        assert script.body == Path("/usr/share/xpra/www/js/Client.js").read_bytes()
    assert jupyter.ask(folder + "js/none.js").status == 404
    assert b"hello" in talk(jupyter, f"{folder}ws/{VIEWER}", "null")


def test_xpra_over_mutual_tls(jupyter: Jupyter, run: Run, xpra: Callable[..., None]) -> None:
    port = own_port()
    context = pinned_context(run.folder, run.fingerprint)

    def ask() -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            return status_of(context.wrap_socket(plain, server_hostname="qconnect-server"))

    keys = [f"--ssl-cert={run.folder}/server.pem", f"--ssl-key={run.folder}/server.key"]
    keys += [f"--ssl-ca-certs={run.folder}/client.pem", "--ssl-client-verify-mode=required"]
    xpra(f"--bind-ssl=127.0.0.1:{port}", "--ssl=on", *keys, ask=ask)
    run.publish(port=port)
    use_all(jupyter, run)
    refused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    refused.check_hostname, refused.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, suppress(OSError):
        assert status_of(refused.wrap_socket(plain)) == b""  # without the client's key, not one byte comes back


def test_xpra_over_its_unix_socket(jupyter: Jupyter, run: Run, xpra: Callable[..., None]) -> None:
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"qcx-{os.getpid()}-{run.key[:4]}" / "x.sock"

    def ask() -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(path))
            return status_of(connection)

    xpra(f"--bind={path}", "--socket-permissions=600", ask=ask)
    jupyter.manager.transport = LocalTransport()
    run.publish(path=path)
    use_all(jupyter, run)
