"""The transport for jobs on this very machine: the unix socket of the session's display, in a folder of the user's."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import struct
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from ..errors import IdentityMismatch, Unreachable
from ..values.session import Connection, Session
from .endpoint import Endpoint


def is_here(node: str) -> bool:
    """Whether a node's name is this machine's own; a short name stands for the long one only if one side is short."""
    ours, theirs = socket.gethostname().lower(), node.lower()
    if theirs == "localhost" or ours == theirs:
        return True
    short = "." not in ours or "." not in theirs
    return short and ours.partition(".")[0] == theirs.partition(".")[0]


class LocalTransport:
    """Reaches displays through their unix socket; the proxy also asks the kernel who listens, before it speaks."""

    bind = "socket"

    async def endpoint(self, session: Session, connection: Connection, folder: Path) -> Endpoint:
        """The socket that this run published; raises Unreachable, and IdentityMismatch if it is not ours alone."""
        if connection.socket is None:
            raise Unreachable(
                f"Session {session.id} listens on a port, and this site reaches displays by unix sockets only. "
                "Set QConnect.transport to 'tls', or start the session again."
            )
        if not is_here(connection.node):
            raise Unreachable(
                f"Session {session.id} runs on {connection.node}, and its unix socket is only reachable there. "
                "Set QConnect.transport to 'ssh'."
            )
        path = Path(connection.socket)
        await asyncio.to_thread(check_socket, path)
        return Endpoint(socket=path)

    def retry(self, node: str) -> None:
        """Each request tries anew anyway."""

    def sharing(self, node: str) -> AbstractContextManager[list[str]]:
        """There is no connection by ssh."""
        return nullcontext([])

    async def close(self) -> None:
        """Nothing is kept open."""


def check_peer(connection: socket.socket, listener: int | None = None) -> None:
    """Raises IdentityMismatch unless who listens at a unix socket's other end is ours, and the `listener` if known."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    process, owner, _ = struct.unpack("3i", credentials)
    wrong = "not yours" if owner != os.geteuid() else "not the ssh that was started for it"
    if owner != os.geteuid() or listener not in (None, process):
        raise IdentityMismatch(
            f"Somebody else than your session answers at its socket: the process there is {wrong}. Nothing was sent. "
            "Stop the session and start it again; tell your site if it happens twice."
        )


def check_socket(path: Path) -> None:
    """Raises Unreachable when there is no socket, IdentityMismatch when somebody else owns it or may use it."""
    try:
        status = os.lstat(path)
    except OSError as error:
        raise Unreachable(
            f"The session's display has no socket any more ({error.strerror}). Look at the session's log."
        ) from error
    private = stat.S_ISSOCK(status.st_mode) and not stat.S_IMODE(status.st_mode) & 0o077
    if not private or status.st_uid != os.geteuid():
        raise IdentityMismatch(
            "What is at the session's socket can be used by others than you. Nothing was sent. "
            "Stop the session and start it again."
        )
