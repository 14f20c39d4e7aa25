"""Displays reached through ssh by the proxy: a socket as it is, a port with its TLS and both pins end to end."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qconnect_web.cli.forwarder import dial
from qconnect_web.errors import IdentityMismatch, Unreachable
from qconnect_web.proxy import dial as upstream
from qconnect_web.transports import auto
from qconnect_web.transports.auto import AutoTransport
from qconnect_web.transports.endpoint import Endpoint
from qconnect_web.transports.keys import SERVER_NAME, pinned_context
from qconnect_web.transports.ssh.masters import Masters
from qconnect_web.transports.ssh.transport import SshTransport
from qconnect_web.transports.tls import TlsTransport
from qconnect_web.values.job import Job, JobState
from qconnect_web.values.session import Connection, Session
from tests.support.jupyter_here import VIEWER, Jupyter, RawAnswer, settle
from tests.support.node_server import NodeServer, display
from tests.support.session_run import Run
from tests.transports.ssh.sshd import Sshd, SshNodes
from tests.transports.ssh.test_ssh_masters import LOG, Nobody

ELSEWHERE = "127.0.0.2"
"""A "node" on which nobody listens at the display's port: that is at 127.0.0.1, where its ssh server is."""


@pytest.fixture
def ways(jupyter: Jupyter, nodes: SshNodes) -> Iterator[Callable[[type], None]]:
    """Makes the server use a transport."""
    made: list[Any] = []

    def use(kind: type[SshTransport | AutoTransport]) -> None:
        ssh = SshTransport(Masters(nodes.settings(), Nobody(), LOG), TlsTransport())
        made.append(ssh if kind is SshTransport else AutoTransport(TlsTransport(), ssh))
        jupyter.manager.transport = made[-1]

    yield use
    for transport in made:
        jupyter.run(transport.close())


def opened(jupyter: Jupyter, run: Run) -> RawAnswer:
    """The answer to a websocket that says one thing and hears it back if it may."""
    path = f"/a%40b/qconnect/{run.job_id}/ws/{VIEWER}"
    headers = {"Cookie": jupyter.cookie(), "Origin": jupyter.origin}
    with jupyter.websocket(path, headers) as wire:
        answer = wire.answer()
        if answer.status == 101:
            wire.connection.sendall(b"echo me")
            assert wire.receive(7) == b"echo me"
    settle(jupyter)
    return answer


def test_a_socket_on_a_node_is_reached_through_ssh(
    jupyter: Jupyter, run: Run, nodes: SshNodes, ways: Callable[[type], None], tmp_path: Path
) -> None:
    server = nodes.add("node1")
    there = NodeServer(display(), None, tmp_path / "x.sock")
    try:
        run.publish(path=tmp_path / "x.sock", node="node1")
        ways(SshTransport)
        for _ in range(3):
            assert opened(jupyter, run).status == 101
        assert server.logins() == 1
        assert there.dials == 3
    finally:
        there.close()


@pytest.fixture
def forwarded(
    run: Run, nodes: SshNodes, node: Callable[..., NodeServer], ways: Callable[[type], None]
) -> Callable[..., tuple[Sshd, NodeServer]]:
    """A display with a port that the network does not let us reach, and the way there by ssh."""

    def start(**keys: Any) -> tuple[Sshd, NodeServer]:
        found = node(display(), **keys)
        run.publish(port=found.port, node=ELSEWHERE)
        ways(AutoTransport)
        return nodes.add(ELSEWHERE), found

    return start


def test_a_port_that_cannot_be_reached_is_reached_through_ssh_with_its_tls(
    jupyter: Jupyter, run: Run, forwarded: Callable[..., tuple[Sshd, NodeServer]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, display_there = forwarded()
    looks = counted(monkeypatch)
    for _ in range(3):
        assert opened(jupyter, run).status == 101
    assert server.logins() == 1
    assert display_there.errors == []
    assert len(looks) == 1  # the way is remembered
    jupyter.manager.transport.retry(ELSEWHERE)
    assert opened(jupyter, run).status == 101
    assert len(looks) == 2


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Endpoint]:
    """Counts the looks at ports."""
    looks: list[Endpoint] = []
    real = auto.reach

    async def reach(endpoint: Endpoint) -> str | None:
        looks.append(endpoint)
        return await real(endpoint)

    monkeypatch.setattr(auto, "reach", reach)
    return looks


def test_somebody_else_at_the_port_hears_nothing_through_ssh_either(
    jupyter: Jupyter, run: Run, forwarded: Callable[..., tuple[Sshd, NodeServer]]
) -> None:
    other = run.server_context()
    run.keys()  # the session has others by now
    server, squatter = forwarded(context=other)
    answer = opened(jupyter, run)
    assert (answer.status, answer.json()["reason"]) == (502, "identity-mismatch")
    assert squatter.bytes_heard == b""
    assert server.logins() == 1


def test_a_plain_squatter_hears_no_request_through_ssh(
    jupyter: Jupyter, run: Run, forwarded: Callable[..., tuple[Sshd, NodeServer]]
) -> None:
    _, squatter = forwarded(plain=True)
    answer = opened(jupyter, run)
    assert answer.status in (502, 504)
    assert b"GET" not in squatter.bytes_heard


def test_a_port_that_can_be_reached_needs_no_ssh(
    jupyter: Jupyter, run: Run, nodes: SshNodes, node: Callable[..., NodeServer], ways: Callable[[type], None]
) -> None:
    server = nodes.add("127.0.0.1")
    found = node(display())
    run.publish(port=found.port, node="127.0.0.1")
    ways(AutoTransport)
    assert opened(jupyter, run).status == 101
    assert "Connection from" not in server.log


def test_what_the_ssh_transport_finds_at_a_port_keeps_its_tls(
    jupyter: Jupyter, run: Run, nodes: SshNodes, node: Callable[..., NodeServer], ways: Callable[[type], None]
) -> None:
    nodes.add(ELSEWHERE)
    found = node(display())
    run.publish(port=found.port, node=ELSEWHERE)
    ways(SshTransport)
    assert opened(jupyter, run).status == 101


def test_when_neither_way_is_open_both_are_named_and_the_page_can_say_so(
    jupyter: Jupyter, run: Run, nodes: SshNodes, ways: Callable[[type], None]
) -> None:
    nodes.add(ELSEWHERE, known=False)
    run.publish(port=20017, node=ELSEWHERE)
    ways(AutoTransport)
    answer = opened(jupyter, run)
    assert answer.json()["reason"] == "host-key-unknown"
    assert re.search("port .* cannot be reached .*refused.* by ssh: The host key", answer.json()["message"])
    trouble = jupyter.settings["qconnect"].troubles.of(run.key)
    assert trouble.to_json() == answer.json()


def test_a_display_that_is_gone_is_told_in_the_nodes_words_and_forgotten_when_it_is_back(
    jupyter: Jupyter, run: Run, nodes: SshNodes, ways: Callable[[type], None], tmp_path: Path
) -> None:
    nodes.add("node1")
    run.publish(path=tmp_path / "x.sock", node="node1")
    ways(SshTransport)
    assert "could not connect to the session's display" in opened(jupyter, run).json()["message"]
    assert jupyter.settings["qconnect"].troubles.of(run.key)
    there = NodeServer(display(), None, tmp_path / "x.sock")
    try:
        assert opened(jupyter, run).status == 101
        assert jupyter.settings["qconnect"].troubles.of(run.key) is None
    finally:
        there.close()


def test_a_forwarded_socket_at_which_another_process_listens_gets_nothing(run: Run, tmp_path: Path) -> None:
    """The kernel's word, held against the process that was started for it."""
    path = tmp_path / "f.sock"
    session = Session(run.store.read(run.key).record, Job(run.job_id, JobState.RUNNING))  # type: ignore[union-attr]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        asyncio.run(upstream.proved(session, Endpoint(socket=path, listener=os.getpid()), hang_up))
        with pytest.raises(IdentityMismatch, match="not the ssh"):
            asyncio.run(upstream.proved(session, Endpoint(socket=path, listener=os.getpid() + 1), hang_up))
        listener.accept()[0].close()
        heard, _ = listener.accept()
        assert heard.recv(10) == b""
        heard.close()


async def hang_up(connection: socket.socket) -> None:
    connection.close()


@pytest.mark.parametrize("path", ["/tmp/a:b", "/tmp/a%h", "/tmp/~x", "/tmp/$HOME", "/tmp/a b", "/tmp/a\\:b"])
def test_a_socket_whose_name_means_something_to_ssh_is_not_asked_for(run: Run, path: str) -> None:
    class NoMasters:
        async def forward(self, node: str, target: str) -> None:
            raise AssertionError(target)

    transport = SshTransport(NoMasters(), TlsTransport())  # type: ignore[arg-type]
    connection = Connection(
        run=run.run, job=run.job_id, node="node1", port=None, socket=path, display=":1", xpra="3.1.3",
        fingerprint="", time=time.time(),
    )  # fmt: skip
    session = Session(run.store.read(run.key).record, Job(run.job_id, JobState.RUNNING))  # type: ignore[union-attr]
    with pytest.raises(Unreachable, match="cannot name"):
        asyncio.run(transport.endpoint(session, connection, run.folder))


def test_a_native_viewer_too_has_tls_end_to_end_on_a_forwarded_socket(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "f.sock"
    there = NodeServer(display(), run.server_context(), path)
    run.publish(port=20017, node=ELSEWHERE)
    facts = run.store.read(run.key)
    assert facts
    assert facts.connection
    context = pinned_context(run.folder, run.fingerprint)
    endpoint = Endpoint(socket=path, context=context, server_hostname=SERVER_NAME, listener=os.getpid())

    async def dialled(endpoint: Endpoint, fingerprint: str) -> None:
        _, writer = await dial(replace(facts.connection, fingerprint=fingerprint), endpoint)  # type: ignore[type-var]
        writer.close()
        await writer.wait_closed()

    try:
        asyncio.run(dialled(endpoint, run.fingerprint))
        with pytest.raises(IdentityMismatch):
            asyncio.run(dialled(endpoint, "0" * 64))
        with pytest.raises(IdentityMismatch):
            asyncio.run(dialled(replace(endpoint, listener=1), run.fingerprint))
    finally:
        there.close()
