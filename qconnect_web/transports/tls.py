"""The transport for jobs on any node: the port that the job published, behind mutual TLS with both keys pinned."""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from ..errors import Unreachable
from ..values.session import NODE, Connection, Session
from .endpoint import Endpoint
from .keys import SERVER_NAME, pinned_context
from .local import is_here

LOOPBACK = ("127.0.0.1", "::1")
MAX_CONTEXTS = 32
"""Contexts kept for the runs dialled last; a client page from a node asks for some 40 files in a row."""


class TlsTransport:
    """Reaches displays by host and port; whoever answers must hold the key that the job made for this run."""

    bind = "tls"

    def __init__(self) -> None:
        self._contexts: OrderedDict[tuple[Path, str], ssl.SSLContext] = OrderedDict()

    async def endpoint(self, session: Session, connection: Connection, folder: Path) -> Endpoint:
        """Host and port as published by this run, and its pinned context.

        Raises Unreachable when the run published none, Forbidden and IdentityMismatch as `pinned_context` does.
        """
        if connection.port is None:
            raise Unreachable(
                f"Session {session.id} listens on a unix socket, and this site reaches displays by TLS only. "
                "Set QConnect.transport to 'ssh' or 'local', or start the session again."
            )
        if not NODE.fullmatch(connection.node):
            raise Unreachable(f"Session {session.id} published a node that is no host name. Start it again.")
        context = await self._context(folder, connection.fingerprint)
        hosts = LOOPBACK if is_here(connection.node) else (connection.node,)  # no detour by the network, nor by DNS
        return Endpoint(hosts=hosts, port=connection.port, context=context, server_hostname=SERVER_NAME)

    def retry(self, node: str) -> None:
        """Each request tries anew anyway."""

    def sharing(self, node: str) -> AbstractContextManager[list[str]]:
        """There is no connection by ssh."""
        return nullcontext([])

    async def close(self) -> None:
        """Forgets the keys that it holds."""
        self._contexts.clear()

    async def _context(self, folder: Path, fingerprint: str) -> ssl.SSLContext:
        key = (folder, fingerprint)
        if key not in self._contexts:
            self._contexts[key] = await asyncio.to_thread(pinned_context, folder, fingerprint)
            while len(self._contexts) > MAX_CONTEXTS:
                self._contexts.popitem(last=False)
        context = self._contexts[key]
        self._contexts.move_to_end(key)
        return context
