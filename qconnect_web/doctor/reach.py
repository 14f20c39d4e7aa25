"""Whether this machine gets to a job's display, and what is in the way where it does not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..errors import IdentityMismatch, NotReady, QConnectError
from ..proxy.dial import dial
from ..values.session import Connection, Session
from .findings import Finding, Level

if TYPE_CHECKING:
    from ..config import QConnect
    from ..sessions.manager import SessionManager

CHECK = "reach"
WAIT_S = 20.0
"""Seconds that the display of a READY session may take to be named."""


async def reach(settings: QConnect, manager: SessionManager, session: Session) -> Finding:
    """Dials the display of a READY session, proves who answers, and hangs up."""
    assert session.connection is not None
    began = time.monotonic()
    try:
        found, endpoint = await manager.endpoint(session.id, WAIT_S)
        (await dial(found, endpoint)).close()
    except QConnectError as error:
        return in_the_way(error, session.connection, settings)
    way = "a unix socket of this machine" if endpoint.socket else f"{endpoint.hosts[0]}, port {endpoint.port}"
    return Finding(CHECK, Level.OK, f"{way}: proved to be the job's in {time.monotonic() - began:.2f} s.")


def in_the_way(error: QConnectError, connection: Connection, settings: QConnect) -> Finding:
    """What kept us from the display, and who can change it."""
    found = error.message
    if connection.port is not None and error.reason == "timeout":
        found = (
            f"Nothing comes back from {connection.node}, port {connection.port}: what is sent there vanishes, as in a "
            "firewall between this machine and the node."
        )
    return Finding(CHECK, Level.PROBLEM, found, _remedy(error, connection, settings))


def _remedy(error: QConnectError, connection: Connection, settings: QConnect) -> str:
    if isinstance(error, IdentityMismatch):
        return (
            "What lies between this machine and its nodes must not answer in their place: leave their ports out of "
            "what inspects TLS. If nothing does, another program of the node has taken the port."
        )
    if isinstance(error, NotReady) or (connection.port is None and settings.transport != "ssh"):
        return "Try again, and see what a session's own log says: qconnect --log ID."
    if settings.transport == "ssh":
        return f"Run `{settings.ssh_command} {connection.node} true` on this machine: it must work as it stands."
    first, last = settings.port_base, settings.port_base + settings.port_range - 1
    return (
        f"Have the nodes' firewall let TCP from this machine in, to ports {first} to {last} (docs/operating.md has the "
        "commands), or set c.QConnect.transport to 'ssh'."
    )
