"""Somebody else on the session's port gets no application byte, and the user is told so."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.iostream import IOStream

from qconnect_web.proxy import dial, display_line
from qconnect_web.relay.pinned_tls import fingerprint_of
from qconnect_web.transports import local, tls
from qconnect_web.transports.endpoint import Endpoint
from qconnect_web.transports.local import LocalTransport
from qconnect_web.transports.tls import LOOPBACK
from qconnect_web.values.session import Session
from tests.support.jupyter_here import BASE, VIEWER, Jupyter, RawAnswer
from tests.support.node_server import NodeServer, display
from tests.support.session_run import Run, make_pair, new_run, write_private

Doors = Callable[..., NodeServer]


def context_of(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server that shows this certificate and asks for nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def same_name(run: Run, folder: Path) -> ssl.SSLContext:
    """Another key under the same name."""
    certificate, key = make_pair()
    write_private(folder / "c.pem", certificate)
    write_private(folder / "c.key", key)
    return context_of(folder / "c.pem", folder / "c.key")


def other_session(run: Run, folder: Path) -> ssl.SSLContext:
    """The key of another session of the same user."""
    other = new_run(run.store, "18.local")
    return context_of(other.folder / "server.pem", other.folder / "server.key")


def older_run(run: Run, folder: Path) -> ssl.SSLContext:
    """The key that this very session had before it was requeued."""
    context = context_of(run.folder / "server.pem", run.folder / "server.key")
    run.keys()
    return context


SQUATTERS = [same_name, other_session, older_run]


def ask(jupyter: Jupyter, run: Run) -> list[RawAnswer]:
    """A websocket and a file of the session."""
    with jupyter.websocket(f"{BASE}qconnect/17.local/ws/{VIEWER}", {"Authorization": f"token {jupyter.token}"}) as wire:
        upgrade = wire.answer()
    ticket = jupyter.tickets.issue(run.key, run.run, VIEWER)
    return [upgrade, jupyter.ask(f"{BASE}qconnect/17.local/t/{ticket}/index.html")]


def assert_refused(answers: list[RawAnswer], squatter: NodeServer) -> None:
    for answer in answers:
        assert answer.status == 502
        assert answer.json()["reason"] == "identity-mismatch"
        assert "Nothing was sent" in answer.json()["message"]
    assert squatter.dials == 2  # one for each request: nothing tries again by itself
    assert squatter.bytes_heard == b""


@pytest.mark.parametrize("kind", SQUATTERS)
def test_a_squatter_with_another_key_hears_nothing(
    jupyter: Jupyter, run: Run, node: Doors, tmp_path: Path, kind: Callable[[Run, Path], ssl.SSLContext]
) -> None:
    squatter = node(display(), kind(run, tmp_path))
    started = time.monotonic()
    assert_refused(ask(jupyter, run), squatter)
    assert time.monotonic() - started < 5


def test_a_squatter_that_speaks_plain_http_hears_a_greeting_of_tls_and_nothing_else(
    jupyter: Jupyter, run: Run, node: Doors
) -> None:
    greetings: list[bytes] = []

    class Plain(NodeServer):
        def _serve(self, plain: socket.socket) -> None:
            with plain:
                greetings.append(plain.recv(65536))
                plain.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    squatter = Plain(display(), None)
    try:
        run.publish(port=squatter.port)
        assert_refused(ask(jupyter, run), squatter)
    finally:
        squatter.close()
    assert [greeting[:1] for greeting in greetings] == [b"\x16", b"\x16"]  # a TLS handshake record
    assert all(b"GET" not in greeting and b"HTTP" not in greeting for greeting in greetings)


@pytest.mark.parametrize("kind", SQUATTERS)
def test_a_squatter_would_hear_the_request_without_the_pinned_key(
    jupyter: Jupyter,
    run: Run,
    node: Doors,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: Callable[[Run, Path], ssl.SSLContext],
) -> None:
    def trusting(folder: Path, fingerprint: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    squatter = node(display(), kind(run, tmp_path))
    monkeypatch.setattr(tls, "pinned_context", trusting)
    # The comparison after the handshake is a second door: it holds alone ...
    assert_refused(ask(jupyter, run), squatter)
    # ... and with both open, the squatter hears everything.
    monkeypatch.setattr(dial, "check_certificate", lambda stream, fingerprint: None)
    assert ask(jupyter, run)[0].status == 101
    assert b"GET / HTTP/1.1" in squatter.bytes_heard


def test_a_plain_squatter_would_hear_it_without_tls(
    jupyter: Jupyter, run: Run, node: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def plain(session: Session, endpoint: Endpoint) -> IOStream:
        async def believed(connection: socket.socket) -> IOStream:
            return IOStream(connection)

        return await dial.proved(session, endpoint, believed)

    squatter = node(display(), plain=True)
    monkeypatch.setattr(display_line, "movable", lambda browser, endpoint: False)
    monkeypatch.setattr(display_line, "dial", plain)
    assert ask(jupyter, run)[0].status == 101
    assert b"GET / HTTP/1.1" in squatter.bytes_heard


@pytest.mark.parametrize("kind", [*SQUATTERS, None])
@pytest.mark.parametrize("address", LOOPBACK)
def test_a_squatter_at_one_address_does_not_keep_anybody_from_the_display_at_the_other(
    jupyter: Jupyter, run: Run, tmp_path: Path, address: str, kind: Callable[[Run, Path], ssl.SSLContext] | None
) -> None:
    """A squatter of each kind, or nobody at all, at one of a node's addresses; the display at the other."""
    (other,) = set(LOOPBACK) - {address}
    context = kind(run, tmp_path) if kind else None
    found = NodeServer(display(), run.server_context(), at=(address, 0))
    squatter = NodeServer(display(), context, at=(other, found.port))
    try:
        run.publish(port=found.port)
        if kind is None:
            squatter.close()
        assert [answer.status for answer in ask(jupyter, run)] == [101, 200]
        assert squatter.bytes_heard == b""
        assert squatter.dials == (2 if kind and other == LOOPBACK[0] else 0)
    finally:
        found.close()
        if kind:
            squatter.close()


def test_the_name_in_the_certificate_must_be_the_sessions(jupyter: Jupyter, run: Run, node: Doors) -> None:
    certificate, key = make_pair("node1.cluster")
    write_private(run.folder / "server.pem", certificate)
    write_private(run.folder / "server.key", key)
    run.fingerprint = fingerprint_of(ssl.PEM_cert_to_DER_cert(certificate.decode()))
    squatter = node(display())
    assert_refused(ask(jupyter, run), squatter)


def test_nobody_on_the_port_is_unreachable_and_a_silent_one_times_out(
    jupyter: Jupyter, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "HANDSHAKE_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        run.publish(port=silent.getsockname()[1])
        answers = ask(jupyter, run)
        assert [(answer.status, answer.json()["reason"]) for answer in answers] == [(504, "timeout")] * 2
    answers = ask(jupyter, run)
    assert [(answer.status, answer.json()["reason"]) for answer in answers] == [(502, "unreachable")] * 2


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")  # CPython's wrap_socket, when it is reset
@pytest.mark.parametrize("words", [b"SSH-2.0-OpenSSH\r\n", b""])
def test_one_that_speaks_and_hangs_up_at_once_is_no_fault_of_ours(jupyter: Jupyter, run: Run, words: bytes) -> None:
    class Rude(NodeServer):
        def _serve(self, plain: socket.socket) -> None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            plain.sendall(words)
            plain.close()

    rude = Rude(display(), None)
    try:
        run.publish(port=rude.port)
        for _ in range(10):
            for answer in ask(jupyter, run):
                assert answer.status == 502
                assert answer.json()["reason"] in ("unreachable", "identity-mismatch")
    finally:
        rude.close()
        gc.collect()


def test_a_socket_of_ours_opens_and_one_of_somebody_else_does_not(
    jupyter: Jupyter, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.sock"
    found = NodeServer(display(), None, path)
    jupyter.manager.transport = LocalTransport()
    run.publish(path=path)
    try:
        assert [answer.status for answer in ask(jupyter, run)] == [101, 200]
        heard = found.bytes_heard
        monkeypatch.setattr(local.os, "geteuid", lambda: 12345)
        with pytest.raises(dial.IdentityMismatch):
            asyncio.run(_dial_once(path, run))
        assert found.bytes_heard == heard
    finally:
        found.close()


async def _dial_once(path: Path, run: Run) -> Any:
    session = type("S", (), {"connection": None})
    await dial.dial(session, Endpoint(socket=path))  # type: ignore[arg-type]  # only its connection is looked at
