"""Shows a session's windows on the user's own display, with the user's own xpra or vncviewer.

Leaving the viewer, however that is done, detaches it; the program goes on.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import IO

from ..sessions.manager import SessionManager
from ..transports.endpoint import Endpoint
from ..values.session import Connection, Session
from .forwarder import Forwarder, forward

XPRA_OPTIONS = (
    "--window-close=disconnect",  # the default would close the program's own window, and with the last one the program
    "--sharing=yes",  # a browser tab that shows the same session keeps it
    "--mdns=no",
    "--opengl=no",
    "--mmap=no",
    "--speaker=disabled",
    "--microphone=disabled",
    "--webcam=no",
    "--printing=no",
    "--file-transfer=no",
    "--notifications=no",
    "--bell=no",
    "--tray=no",
)
VNC_OPTIONS = (
    "-Shared",  # a browser tab that shows the same desktop keeps it
    "-RemoteResize",
    "-ReconnectOnError=0",  # at the session's end it would ask whether to try again, and wait for an answer
    "-AlertOnFatalError=0",
)
END_S = 3.0
"""Seconds that a viewer has to go when it is told to."""
ENDPOINT_S = 10.0


def lacking(session: Session) -> str | None:
    """Why no native window of this session can be shown here, or None when it can."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no X display here"
    tool = program(session)
    return None if shutil.which(tool) else f"{tool} is not installed here"


def program(session: Session) -> str:
    """The viewer of the session's kind."""
    return "vncviewer" if session.record.kind == "vnc" else "xpra"


def argv(session: Session, socket: Path) -> list[str]:
    """The command of the viewer, which is told of a local socket and nothing else."""
    if session.record.kind == "vnc":
        return ["vncviewer", *VNC_OPTIONS, str(socket)]
    return ["xpra", "attach", f"socket:{socket}", *XPRA_OPTIONS]


def command(session: Session, folder: Path) -> str | None:
    """The xpra command with which another machine of the user's can attach; None when a socket is all there is."""
    connection = session.connection
    if connection is None or connection.port is None or connection.protocol != "xpra":
        return None
    words = ["xpra", "attach", f"ssl://{connection.node}:{connection.port}/", "--ssl-server-hostname=qconnect-server"]
    for option, name in (("cert", "client.pem"), ("key", "client.key"), ("ca-certs", "server.pem")):
        words.append(f"--ssl-{option}={folder / name}")
    return shlex.join([*words, "--window-close=disconnect", "--sharing=yes"])


class Viewer:
    """A viewer that runs: its process, its output, and the way that its bytes go."""

    def __init__(self, process: asyncio.subprocess.Process, log: IO[bytes], way: Forwarder) -> None:
        self._process, self._log, self._way = process, log, way

    async def wait(self) -> int:
        """Its exit status, when the user has closed it or the session is gone."""
        return await self._process.wait()

    @property
    def hung_up(self) -> bool:
        """Whether the session's side ended the connection."""
        return self._way.hung_up

    async def end(self) -> None:
        """Detaches: a moment to say goodbye, then the end."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if self._process.returncode is not None:
                return
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._process.wait(), END_S)

    def last_words(self) -> str:
        """Why it could not show anything: the way's own reason, or the end of what xpra said."""
        if self._way.failed:
            return self._way.failed.message
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read(1 << 20).decode(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else "it said nothing"


@asynccontextmanager
async def viewer(manager: SessionManager, session: Session) -> AsyncIterator[Viewer]:
    """The user's viewer, attached to a READY session for as long as this is open.

    Raises Unreachable and the other errors of `SessionManager.endpoint` before anything is started.
    """

    async def target() -> tuple[Connection, Endpoint]:
        found, endpoint = await manager.endpoint(session.id, ENDPOINT_S)
        assert found.connection is not None  # READY
        return found.connection, endpoint

    await target()
    async with AsyncExitStack() as stack:
        path, way = await stack.enter_async_context(forward(target))
        log = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - it is one
        process = await asyncio.create_subprocess_exec(
            *argv(session, path),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is ours to pass on
        )
        found = Viewer(process, log, way)
        stack.push_async_callback(found.end)
        yield found
