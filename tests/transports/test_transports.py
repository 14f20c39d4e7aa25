"""Transports: what a run published becomes an address, and nothing else does."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qconnect_web.errors import BadRequest, IdentityMismatch, QConnectError, Unreachable
from qconnect_web.sessions.store import Store
from qconnect_web.transports import local, tls
from qconnect_web.transports.endpoint import Endpoint
from qconnect_web.transports.local import LocalTransport, is_here
from qconnect_web.transports.tls import TlsTransport
from qconnect_web.values.job import Job, JobState
from qconnect_web.values.session import Connection, Session
from tests.support.session_run import Run, new_run

pytestmark = pytest.mark.unit


@pytest.fixture
def run(tmp_path: Path) -> Run:
    store = Store(tmp_path / "sessions")
    store.prepare()
    return new_run(store)


def endpoint(run: Run, transport: TlsTransport | LocalTransport) -> Endpoint:
    """What the transport makes of the connection that is published now."""
    facts = run.store.read(run.key)
    assert facts
    assert facts.connection
    session = Session(facts.record, Job(run.job_id, JobState.RUNNING), facts.connection)
    return asyncio.run(transport.endpoint(session, facts.connection, run.folder))


def test_tls_dials_what_was_published_behind_its_pinned_key(run: Run) -> None:
    run.publish(port=20017, node="node7.cluster")
    found = endpoint(run, TlsTransport())
    assert (found.hosts, found.port, found.socket) == (("node7.cluster",), 20017, None)
    assert found.server_hostname == "qconnect-server"
    assert found.context
    assert "context" not in repr(found)


@pytest.mark.parametrize(
    ("ours", "node", "here"),
    [
        ("login1", "login1", True),
        ("login1.hpc.org", "login1", True),
        ("login1", "LOGIN1.hpc.org", True),
        ("login1.hpc.org", "login1.hpc.org", True),
        ("login1.hpc.org", "login1.cluster", False),
        ("login1", "login2", False),
        ("login1", "login10", False),
        ("login1", "localhost", True),
        ("CN_01", "cn_01.hpc.org", True),
        ("cn_01", "CN_02", False),
    ],
)
def test_only_this_very_machine_is_dialled_on_the_loopback(
    run: Run, monkeypatch: pytest.MonkeyPatch, ours: str, node: str, here: bool
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: ours)
    assert is_here(node) is here
    run.publish(port=20017, node=node)
    assert endpoint(run, TlsTransport()).hosts == (("127.0.0.1", "::1") if here else (node,))


def test_keys_are_read_once_for_a_run_and_anew_for_the_next(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = TlsTransport()
    first = endpoint(run.publish(port=20017), transport).context
    assert endpoint(run, transport).context is first
    assert endpoint(run.keys().publish(port=20017), transport).context is not first
    monkeypatch.setattr(tls, "MAX_CONTEXTS", 2)
    for _ in range(3):
        endpoint(run.keys().publish(port=20017), transport)
    assert len(transport._contexts) == 2
    asyncio.run(transport.close())
    assert not transport._contexts


def test_a_run_for_the_other_transport_says_which_to_set(run: Run, tmp_path: Path) -> None:
    run.publish(path=tmp_path / "x.sock")
    with pytest.raises(Unreachable, match=r"QConnect\.transport"):
        endpoint(run, TlsTransport())
    run.publish(port=20017)
    with pytest.raises(Unreachable, match=r"QConnect\.transport"):
        endpoint(run, LocalTransport())


def test_a_socket_on_another_machine_is_not_dialled_here(run: Run, tmp_path: Path) -> None:
    run.publish(path=tmp_path / "x.sock", node="node7")
    with pytest.raises(Unreachable, match="node7"):
        endpoint(run, LocalTransport())


def test_a_socket_of_ours_is_dialled_and_one_open_to_others_is_not(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.sock"
    run.publish(path=path)
    with pytest.raises(Unreachable):
        endpoint(run, LocalTransport())
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        assert endpoint(run, LocalTransport()) == Endpoint(socket=path)
        path.chmod(0o666)
        with pytest.raises(IdentityMismatch):
            endpoint(run, LocalTransport())
        path.chmod(0o600)
        monkeypatch.setattr(local.os, "geteuid", lambda: 12345)
        with pytest.raises(IdentityMismatch):
            local.check_socket(path)
        monkeypatch.undo()
        real = tmp_path / "real.sock"
        path.rename(real)
        path.symlink_to(real)
        with pytest.raises(IdentityMismatch):
            endpoint(run, LocalTransport())
        path.unlink()
    path.write_text("no socket")
    path.chmod(0o600)
    with pytest.raises(IdentityMismatch):
        endpoint(run, LocalTransport())


@given(node=st.text(max_size=40), port=st.integers() | st.none())
@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_published_only_a_plain_host_and_a_user_port_is_dialled(
    run: Run, node: str, port: int | None
) -> None:
    connection = Connection(
        run=run.run, job=run.job_id, node=node, port=port, socket=None if port else "/s", display=":1", xpra="3.1.3",
        fingerprint=run.fingerprint, time=0.0,
    )  # fmt: skip
    facts = run.store.read(run.key)
    assert facts
    session = Session(facts.record, Job(run.job_id, JobState.RUNNING), connection)
    try:
        Connection.from_json(vars(connection))
        found = asyncio.run(TlsTransport().endpoint(session, connection, run.folder))
    except (QConnectError, BadRequest):
        return
    assert found.hosts in (tls.LOOPBACK, (node,))
    assert set("".join(found.hosts)) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-" if found.hosts == (node,) else "0.1:27"
    )
    assert found.port == port
    assert 1024 <= found.port <= 65535
