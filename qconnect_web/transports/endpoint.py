"""Where a session's display is dialled: what the transports make, and the proxy uses."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Endpoint:
    """The address that the proxy dials: a unix socket, or hosts + port; behind a pinned TLS context if there is one.

    `hosts` are names and addresses of one machine. `listener` is the one process that may listen at the socket (None:
    any of ours). `explain` says, when a connection came to nothing, what the way there knows of the reason.
    """

    socket: Path | None = None
    hosts: tuple[str, ...] = ()
    port: int | None = None
    context: ssl.SSLContext | None = field(default=None, repr=False)
    server_hostname: str | None = None
    listener: int | None = None
    explain: Callable[[], Awaitable[str | None]] | None = field(default=None, repr=False, compare=False)
