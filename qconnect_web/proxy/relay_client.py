"""The server's end of the relay: starts the process when it is first needed, talks to it, starts it anew if it died."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from contextvars import Context
from itertools import count
from pathlib import Path
from typing import Any

from ..aio import happens
from ..relay.channel import Channel
from ..relay.flow import Side
from ..relay.pinned_tls import PinnedContext
from ..relay.pump import Closed
from .asyncio_loop import AsyncioHost
from .metrics import RELAY_STARTS

ROOT = Path(__file__).resolve().parents[2]
CODE = "import sys; sys.path.append(sys.argv[1]); from qconnect_web.relay import process; process.main()"
START_S = 5.0
ECHO_S = 3.0
REST_S = 60.0
"""Seconds without a relay after one that could not even start; sessions are pumped by the server meanwhile."""
PASSED = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")
"""What it has of the server's environment; no token is among it."""


class RelayLost(Exception):
    """The relay died, or does not answer; whatever passed through it has ended."""


class RelayLine:
    """A connection that the relay holds: first to a display alone, then joined with a browser's."""

    def __init__(self, relay: Relay, number: int) -> None:
        self._relay, self._number = relay, number
        self._answer: asyncio.Future[Any] | None = None
        self._over: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()
        self._joined = False
        self._moved = (0, 0)
        self._report: Callable[[int, int], None] = lambda up, down: None

    async def secure(self, context: PinnedContext, name: str, fingerprint: str) -> None:
        """TLS with a pinned certificate; raises what a handshake in this process would: ssl.SSLError, OSError."""
        keys = {"server": context.server.hex(), "client": context.client.decode("ascii")}
        why = await self._asked({"do": "secure", **keys, "name": name, "fingerprint": fingerprint})
        if why is None:
            return
        kind, words = why
        raise ssl.SSLError(words) if kind in ("key", "pin") else OSError(0, words)

    async def exchange(self, request: bytes) -> bytes:
        """The head of the answer to a request for a websocket; raises OSError when there is none."""
        head: bytes = await self._asked({"do": "ask"}, request)
        if not head:
            raise ConnectionError("no answer")
        return head

    def join(self, browser: Side, report: Callable[[int, int], None]) -> None:
        """Hands the browser's connection over; `run` is to be awaited from now on."""
        self._report, self._joined = report, True
        self._send({"do": "join"}, browser.early, browser.connection)

    async def run(self) -> Closed:
        """How it ended; a relay that dies ends it as well."""
        try:
            return await self._over
        finally:
            self.end()

    def end(self) -> None:
        """Ends it, wherever it is."""
        if self._number in self._relay.lines:
            self._send({"do": "end"})
            if not self._joined:
                del self._relay.lines[self._number]

    close = end

    def told(self, words: dict[str, Any], content: bytes) -> None:
        """What the relay says of it."""
        if "closed" in words:
            self.over(Closed(words["up"], words["down"], words["closed"]))
        elif self._answer and not self._answer.done():
            self._answer.set_result(words.get("secured", content))

    def moved(self, up: int, down: int) -> None:
        """How many bytes went each way so far."""
        self._moved = up, down
        self._report(up, down)

    def lost(self) -> None:
        """The relay is gone, and both connections with it."""
        if self._answer and not self._answer.done():
            self._answer.set_exception(RelayLost("the relay ended"))
        self.over(Closed(*self._moved, "server"))

    def over(self, closed: Closed) -> None:
        if not self._over.done():
            self._over.set_result(closed)

    async def _asked(self, words: dict[str, Any], content: bytes = b"") -> Any:
        self._answer = asyncio.get_running_loop().create_future()
        self._send(words, content)
        return await self._answer

    def _send(self, words: dict[str, Any], content: bytes = b"", connection: socket.socket | None = None) -> None:
        self._relay.send({**words, "n": self._number}, content, connection)


class Relay:
    """The one relay process of this server."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self.lines: dict[int, RelayLine] = {}
        self._number = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._starting: asyncio.Task[bool] | None = None
        self._up = False
        self._echo = asyncio.Event()
        self._rest_until = 0.0

    @property
    def pid(self) -> int | None:
        """The process while it works, else None."""
        return self._process.pid if self._up and self._process else None

    async def ready(self) -> bool:
        """Whether there is a relay, after starting one if need be; waits at most 5 s."""
        if self._up:
            return True
        if time.monotonic() < self._rest_until:
            return False
        if self._starting is None or self._starting.done():
            # Not in the context of the request that came first: what is called back later has nothing to do with it.
            self._starting = Context().run(asyncio.create_task, self._start())
        return await asyncio.shield(self._starting)

    async def _start(self) -> bool:
        """Starts the process without forking this one (a fork would copy the page tables of a large server)."""
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._echo = asyncio.Event()
        try:
            self._process = await asyncio.to_thread(spawn, its)
        except OSError as error:
            ours.close()
            self._give_up(str(error))
            return False
        finally:
            its.close()
        channel = self._channel = Channel(AsyncioHost(), ours, self._on_message, self._on_lost)
        await happens(self._echo, START_S)
        if self._channel is not channel or not self._echo.is_set():
            self.kill()
            self._give_up("it did not answer")
            return False
        self._up = True
        RELAY_STARTS.inc()
        self._log.debug("qconnect: the relay process runs (%d)", self._process.pid)
        return True

    def _give_up(self, why: str) -> None:
        self._rest_until = time.monotonic() + REST_S
        self._log.warning("qconnect: the relay process cannot start (%s); this server moves the bytes itself", why)

    def take(self, connection: socket.socket) -> RelayLine:
        """Gives it a connection to a display; raises RelayLost when there is no relay."""
        if not self._up:
            connection.close()
            raise RelayLost("there is no relay")
        number = next(self._number)
        line = self.lines[number] = RelayLine(self, number)
        self.send({"do": "take", "n": number}, b"", connection)
        return line

    def send(self, words: dict[str, Any], content: bytes = b"", connection: socket.socket | None = None) -> None:
        """Sends a message, if there is anybody; what it was for is told of the loss by itself."""
        if self._channel:
            self._channel.send(words, content, connection)
        elif connection:
            connection.close()

    async def check(self) -> None:
        """After somebody waited in vain: kills a relay that does not answer at once, so that a new one is started."""
        if self._channel is None:
            return
        channel, self._echo = self._channel, asyncio.Event()
        channel.send({"do": "echo"})
        if not await happens(self._echo, ECHO_S) and channel is self._channel:
            self._log.warning("qconnect: the relay process does not answer; it is ended")
            self.kill()

    def kill(self) -> None:
        """Ends the process now, and with it whatever passes through."""
        if self._process:
            self._process.kill()
        self._on_lost()

    async def close(self) -> None:
        """Ends it: it leaves when its channel closes, and is killed when it does not."""
        process, self._process = self._process, None
        self._on_lost()
        if process:
            await asyncio.to_thread(reap, process)

    def _on_message(self, words: dict[str, Any], content: bytes, connection: socket.socket | None) -> None:
        if "echo" in words:
            self._echo.set()
        for number, moved in words.get("moved", {}).items():
            if line := self.lines.get(int(number)):
                line.moved(*moved)
        if line := self.lines.get(words.get("n", 0)):
            if "closed" in words:
                del self.lines[words["n"]]
            line.told(words, content)

    def _on_lost(self) -> None:
        """Ends what passed through it; the next session starts a new one."""
        if self._channel is None:
            return
        self._channel.close()
        process, self._process, self._channel = self._process, None, None
        self._up = False
        self._echo.set()
        if process:
            asyncio.get_running_loop().run_in_executor(None, reap, process)
        lines, self.lines = self.lines, {}
        if lines:
            self._log.warning("qconnect: the relay process ended under %d websockets; pages connect again", len(lines))
        for line in lines.values():
            line.lost()


def spawn(its: socket.socket) -> subprocess.Popen[bytes]:
    """A bare Python without site packages, in a session of its own: Ctrl-C at the server's terminal spares it."""
    return subprocess.Popen(
        [sys.executable, "-IS", "-c", CODE, str(ROOT), str(its.fileno())],
        pass_fds=[its.fileno()],
        env={name: os.environ[name] for name in PASSED if name in os.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )


def reap(process: subprocess.Popen[bytes]) -> None:
    """Waits for its end; blocks for 2 s at most before it is killed."""
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
