"""A private unix socket on this machine, for the user's own viewer, in front of a session's display on its node.

The keys stay in this process: the viewer is told a path and nothing else, and each of its connections is proved to end
at the session before its first byte leaves.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from ..errors import IdentityMismatch, QConnectError, Unreachable
from ..relay.pinned_tls import same_fingerprint
from ..transports.addresses import Address, addresses, connect, first_proved
from ..transports.endpoint import Endpoint
from ..transports.local import check_peer
from ..values.session import Connection

DIAL_S = 10.0
MAX_CONNECTIONS = 16
CHUNK = 64 * 1024
RAW_RFB = b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: rfb\r\n\r\n"
"""Asks the door of a VNC desktop (jobscripts/door.py) for the bytes as they are, without websocket."""
Target = Callable[[], Awaitable[tuple[Connection, Endpoint]]]
"""Asks where the session is now: after a requeue it is elsewhere, with other keys."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def dial(connection: Connection, endpoint: Endpoint) -> Streams:
    """A connection to the display of this run, its owner proved; waits at most 10 s for an address.

    Raises Unreachable when nobody answers in time, IdentityMismatch when somebody else does.
    """
    try:
        found = await asyncio.wait_for(addresses(endpoint), DIAL_S)
    except (OSError, asyncio.TimeoutError) as error:
        raise _unreachable(connection.node, error) from error
    return await first_proved(found, partial(_attempt, connection, endpoint))


async def _attempt(connection: Connection, endpoint: Endpoint, address: Address) -> Streams:
    try:
        reader, writer = await asyncio.wait_for(_open(endpoint, address), DIAL_S)
    except ssl.SSLCertVerificationError as error:
        raise _impostor(connection.node) from error
    except (OSError, asyncio.TimeoutError) as error:
        raise _unreachable(connection.node, error) from error
    try:
        _prove(writer, connection, endpoint)
        if connection.protocol == "rfb":
            await _ask_raw(reader, writer, connection.node)
    except BaseException:
        await _closed(writer)
        raise
    return reader, writer


async def _open(endpoint: Endpoint, address: Address) -> Streams:
    name = endpoint.server_hostname if endpoint.context else None
    return await asyncio.open_connection(sock=await connect(address), ssl=endpoint.context, server_hostname=name)


def _prove(writer: asyncio.StreamWriter, connection: Connection, endpoint: Endpoint) -> None:
    """Raises IdentityMismatch unless a process of ours (socket) and the holder of this run's key (TLS) are there."""
    if endpoint.socket is not None:
        check_peer(writer.get_extra_info("socket"), endpoint.listener)
    if endpoint.context is None:
        return
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    if not same_fingerprint(shown, connection.fingerprint):
        raise _impostor(connection.node)


async def _ask_raw(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, node: str) -> None:
    writer.write(RAW_RFB)
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), DIAL_S)
    except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise Unreachable(f"The desktop on {node} did not answer. Look at the session's log.") from error
    if not head.startswith(b"HTTP/1.1 101 "):
        raise Unreachable(f"The desktop on {node} takes no viewer now: {head.splitlines()[0].decode(errors='replace')}")


def _unreachable(node: str, error: Exception) -> Unreachable:
    return Unreachable(f"Nobody answers at the session's display on {node} ({str(error) or 'no answer in time'}).")


def _impostor(node: str) -> IdentityMismatch:
    return IdentityMismatch(
        f"Somebody else than your session answers on {node}: the key is not the one that its job published. "
        "Nothing was sent. Stop the session and start it again; tell your site if it happens twice."
    )


class Forwarder:
    """Takes the viewer's connections and carries each to the session.

    `failed` is why the last one could not be carried, `hung_up` whether it was the session's side that ended it.
    """

    def __init__(self, target: Target) -> None:
        self.failed: QConnectError | None = None
        self.hung_up = False
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the viewer, from its first byte to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if len(self._tasks) <= MAX_CONNECTIONS:
                await self._carry(reader, writer)
        except QConnectError as error:
            self.failed = error
        except (OSError, asyncio.CancelledError):
            pass  # one side hung up, or the viewer is closed
        finally:
            self._tasks.discard(task)
            await _closed(writer)

    async def close(self) -> None:
        """Ends the connections that are open."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await dial(*await self._target())
        ways = [asyncio.create_task(_pump(*pair)) for pair in ((reader, far_writer), (far_reader, writer))]
        try:
            # TLS has no half-close: one end ends both
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            self.hung_up = ways[1] in done
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            await _closed(far_writer)


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Lets go of a connection, at once: what its other side has not taken by now it does not want."""
    writer.close()
    with suppress(OSError, asyncio.TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), 1)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes from one side to the other, no faster than that takes them."""
    while part := await reader.read(CHUNK):
        writer.write(part)
        await writer.drain()


@asynccontextmanager
async def forward(target: Target) -> AsyncIterator[tuple[Path, Forwarder]]:
    """A socket (0600, in a folder of its own, 0700) that leads to the session for as long as this is open."""
    folder = Path(tempfile.mkdtemp(prefix=f"qconnect-{os.getpid()}-", dir=_short_base()))
    path = folder / "x.sock"
    forwarder = Forwarder(target)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    server = await asyncio.start_unix_server(forwarder.take, sock=listener)
    try:
        yield path, forwarder
    finally:
        server.close()
        await forwarder.close()
        with suppress(OSError):
            shutil.rmtree(folder)


def _short_base() -> str | None:
    """The user's runtime folder, when the socket's path stays short enough for a unix socket there (107 bytes)."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    usable = base.startswith("/") and len(base) < 60 and os.access(base, os.W_OK) and Path(base).is_dir()
    return base if usable else None
