"""The transport for nodes that are reached by ssh: no port on the node at all, or one that only the node itself uses.

What proves who is at the other end: ssh's host key says that it is the node (the known hosts of this machine decide,
never the page); the socket there lies in a folder that only this user's processes on the node can enter, and sshd
connects to it as this user. Here, the kernel says that the listener of the forwarded socket is our own ssh, in a
folder that nobody else can enter. A run that published a port keeps its mutual TLS: ssh then is only the road.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from ...errors import Unreachable
from ...values.session import NODE, Connection, Session
from ..endpoint import Endpoint
from ..local import LocalTransport, is_here
from ..tls import TlsTransport
from .masters import Masters
from .options import REMOTE_SOCKET


class SshTransport:
    """Reaches displays through one OpenSSH connection per node, on which each display is a forwarded socket."""

    bind = "socket"

    def __init__(self, masters: Masters, tls: TlsTransport) -> None:
        self._masters, self._tls = masters, tls
        self._local = LocalTransport()

    async def endpoint(self, session: Session, connection: Connection, folder: Path) -> Endpoint:
        """The socket here that leads to this run's display; raises Unreachable, IdentityMismatch, Forbidden."""
        if is_here(connection.node):
            return await (self._tls if connection.socket is None else self._local).endpoint(session, connection, folder)
        if not NODE.fullmatch(connection.node):
            raise Unreachable(f"Session {session.id} published a node that is no host name. Start it again.")
        if connection.socket is None:
            secured = await self._tls.endpoint(session, connection, folder)
            found = await self._forwarded(connection.node, f"127.0.0.1:{connection.port}")
            return replace(found, context=secured.context, server_hostname=secured.server_hostname)
        if not REMOTE_SOCKET.fullmatch(connection.socket):
            raise Unreachable(f"Session {session.id} published a socket that ssh cannot name. Start it again.")
        return await self._forwarded(connection.node, connection.socket)

    def retry(self, node: str) -> None:
        """Lets a node be tried, and the user be asked, at once."""
        self._masters.retry(node)

    def sharing(self, node: str) -> AbstractContextManager[list[str]]:
        """Words for `ssh` with which a terminal goes over the node's open connection, kept meanwhile; or none."""
        return self._masters.sharing(node)

    async def close(self) -> None:
        """Ends all connections to nodes."""
        await self._masters.close()
        await self._tls.close()

    async def _forwarded(self, node: str, target: str) -> Endpoint:
        master, forward = await self._masters.forward(node, target)
        return Endpoint(socket=forward.path, listener=master.pid, explain=master.explain)
