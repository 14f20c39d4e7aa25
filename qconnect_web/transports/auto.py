"""The transport that finds out how a node is reached: its port directly, or the same port through ssh."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AbstractContextManager
from pathlib import Path

from ..errors import UpstreamFailed
from ..values.session import Connection, Session
from .addresses import addresses, connect
from .endpoint import Endpoint
from .local import is_here
from .ssh.transport import SshTransport
from .tls import TlsTransport

PROBE_S = 3.0
DIRECT_S, SSH_S = 60.0, 600.0
"""How long a way that worked is taken again without a look at the other: a port that is shut later is soon noticed,
while a firewall stays, and each look at it takes 3 s."""


class AutoTransport:
    """TLS to the published port; where the network does not let us reach it, the same TLS through ssh."""

    bind = "tls"

    def __init__(self, tls: TlsTransport, ssh: SshTransport) -> None:
        self._tls, self._ssh = tls, ssh
        self._ways: dict[str, tuple[float, str | None]] = {}
        """For each node: until when it holds (monotonic), and why its ports are not reached (None: they are)."""
        self._looking: dict[str, asyncio.Lock] = {}

    async def endpoint(self, session: Session, connection: Connection, folder: Path) -> Endpoint:
        """Where to dial for this run; TLS and both pins stay end to end either way.

        Raises Unreachable (with what both ways said), IdentityMismatch, Forbidden.
        """
        if connection.port is None:
            return await self._ssh.endpoint(session, connection, folder)
        direct = await self._tls.endpoint(session, connection, folder)
        if is_here(connection.node):
            return direct
        refused = await self._look(connection.node, direct)
        if refused is None:
            return direct
        try:
            return await self._ssh.endpoint(session, connection, folder)
        except UpstreamFailed as error:
            self._ways.pop(connection.node, None)
            raise type(error)(
                f"The port of {connection.node} cannot be reached ({refused}), and by ssh: {error.message}",
                reason=error.reason,
            ) from error

    def retry(self, node: str) -> None:
        """Lets a node be tried, and the user be asked, at once."""
        self._ways.pop(node, None)
        self._ssh.retry(node)

    def sharing(self, node: str) -> AbstractContextManager[list[str]]:
        """As for ssh: where the port is reached directly, there is no such connection."""
        return self._ssh.sharing(node)

    async def close(self) -> None:
        """Ends all connections to nodes."""
        await self._ssh.close()
        await self._tls.close()

    async def _look(self, node: str, direct: Endpoint) -> str | None:
        """None when the node's port is reached directly, else why not; looked at once for all who wait for it."""
        async with self._looking.setdefault(node, asyncio.Lock()):
            until, refused = self._ways.get(node, (0.0, None))
            if time.monotonic() >= until:
                refused = await reach(direct)
                self._ways[node] = time.monotonic() + (SSH_S if refused else DIRECT_S), refused
            return refused


async def reach(endpoint: Endpoint) -> str | None:
    """Whether the network lets us connect: None, or its reason. Nothing is sent."""
    try:
        await asyncio.wait_for(_connect_any(endpoint), PROBE_S)
    except asyncio.TimeoutError:
        return "no answer"
    except OSError as error:
        # asyncio puts its own words, with the address, in place of the system's
        return (os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)).lower()
    return None


async def _connect_any(endpoint: Endpoint) -> None:
    """Connects to the first address that takes it, and hangs up; raises what the last one raised."""
    found = await addresses(endpoint)
    failed: Exception = OSError(0, "no address")
    for address in found:
        try:
            (await asyncio.wait_for(connect(address), PROBE_S / len(found))).close()
        except (OSError, asyncio.TimeoutError) as error:
            failed = error
        else:
            return
    raise failed
