"""Ports for the servers that tests start: nobody else is given one between its choice and the server's start."""

from __future__ import annotations

import socket


def own_port() -> int:
    """A TCP port of the loopback address that is ours until this process ends.

    It stays bound: the kernel gives it to no other server and no connection, and a server that reuses addresses, as
    those of the tests do, may listen on it, stop, and listen again.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port = int(holder.getsockname()[1])
    holder.detach()  # the descriptor is closed with the process
    return port
