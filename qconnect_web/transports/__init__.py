"""The one protocol by which a session's display is reached; each module beside this one is one way to it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from ..values.session import Connection, Session
from .endpoint import Endpoint


class Transport(Protocol):
    """Turns what a job published into an address whose owner is proved before the first byte."""

    bind: str
    """What the job must listen on for this transport: `tls` (a port) or `socket` (a unix socket)."""

    async def endpoint(self, session: Session, connection: Connection, folder: Path) -> Endpoint:
        """Where to dial for this run of the session; raises IdentityMismatch, Unreachable."""

    def retry(self, node: str) -> None:
        """The user wants a node tried at once, and is there to be asked, though it was in vain a moment ago."""

    def sharing(self, node: str) -> AbstractContextManager[list[str]]:
        """Words for `ssh` with which a terminal goes over an open connection to the node, kept meanwhile; or none."""

    async def close(self) -> None:
        """Lets go of whatever the transport keeps open."""
