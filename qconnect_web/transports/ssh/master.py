"""One OpenSSH master: the connection to one node that carries every session there, and its forwards."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...aio import stop
from ...errors import Unreachable, UpstreamFailed
from ..login_questions import Asker
from .dialogue import Terminal, converse, environment, unanswered
from .options import SshSettings, complaint, failure, hurry_argv, master_argv, master_pid, request_argv

LOOK_S = 0.02
ATTEMPT_S = 30.0
DIALOGUE_S = 110.0
"""Seconds for a login with questions: ssh servers hang up after 120 s, which ssh does not notice while it asks."""
REQUEST_S = 10.0
EXPLAIN_S = 0.1
DYING_S = 0.3
"""Seconds within which the end of an ssh that did not answer is known here, too."""
MAX_FORWARDS = 64
MAX_HEARD = 4 * 1024
CONNECTED = b"03"
"""The state of a connected socket in /proc/net/unix (SS_CONNECTED)."""


@dataclass
class Forward:
    """A unix socket here that leads to a `target` at the node; `used` by the monotonic clock."""

    path: Path
    target: str
    used: float


class Master:
    """A running `ssh -M -N` and the sockets that it listens on, all in one private folder."""

    def __init__(self, node: str, settings: SshSettings, folder: Path, number: int) -> None:
        self.node, self._settings = node, settings
        self._folder, self._name = folder, f"m{number}"
        self.control = folder / self._name
        self._terminal: Terminal | None = None
        self._heard = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._forwards: dict[str, Forward] = {}
        self._count = itertools.count()
        self._busy = asyncio.Lock()
        self._keepers = 0
        self.pid: int | None = None
        """The process that listens on the forwards' sockets."""

    # ------------------------------------------------------------------ opening and closing
    async def open(self, asker: Asker | None) -> None:
        """Connects; with an asker it may ask, without one it fails instead. Raises Unreachable, IdentityMismatch."""
        argv = master_argv(self._settings, self.node, self.control, batch=asker is None)
        self._terminal = await Terminal.run(argv)
        try:
            await self._connect(self._terminal, asker)
            self.pid = master_pid(await self._request("check"))
            if self.pid is None:
                raise Unreachable(f"ssh to {self.node} does not take requests. Try again.", reason="ssh-failed")
        except BaseException:
            await self.close()
            raise
        self._tasks = [asyncio.create_task(work) for work in (self._listen(self._terminal), self._hurry())]

    async def _connect(self, terminal: Terminal, asker: Asker | None) -> None:
        """Returns when the login has succeeded: ssh makes its control socket only then."""
        talk = asyncio.create_task(converse(terminal, self.node, asker))
        until = time.monotonic() + (DIALOGUE_S if asker else ATTEMPT_S)
        try:
            while not self.control.is_socket():
                if talk.done():
                    failed = failure(self.node, talk.result())
                    raise unanswered(self.node) if asker and failed.reason == "busy" else failed
                if time.monotonic() > until:
                    raise unanswered(self.node) if asker else failure(self.node, "Connection timed out")
                await asyncio.wait({talk}, timeout=LOOK_S)
        finally:
            await stop(talk)

    async def _listen(self, terminal: Terminal) -> None:
        """Keeps the last of what ssh says: a terminal that nobody reads would stop it."""
        while (said := await terminal.listen(REQUEST_S)) is not None:
            self._heard = (self._heard + said)[-MAX_HEARD:]

    async def _hurry(self) -> None:
        """Has sshd send what it has at once, as it does after the first command only (session.c, do_exec_no_pty).

        Until then TCP holds the end of each picture back until the one before has been acknowledged, up to 40 ms
        later. A node that runs no commands stays that slow.
        """
        with suppress(asyncio.TimeoutError, OSError):
            status, _ = await self._run(hurry_argv(self._settings, self.node, self.control), asyncio.subprocess.DEVNULL)
            if status:
                self._heard = ""  # that this was refused explains no other failure

    async def close(self) -> None:
        """Ends the connection, and all that goes through it."""
        await stop(*self._tasks)
        if self._terminal:
            await self._terminal.close()
        await asyncio.to_thread(self._remove_sockets)

    def _remove_sockets(self) -> None:
        for path in (self.control, *(forward.path for forward in self._forwards.values())):
            path.unlink(missing_ok=True)

    @property
    def alive(self) -> bool:
        return self._terminal is not None and not self._terminal.over

    async def dies(self) -> bool:
        """Whether it has ended, or does so at this moment."""
        return self._terminal is None or await self._terminal.ends(DYING_S)

    # ------------------------------------------------------------------ forwards
    async def forward(self, target: str) -> Forward:
        """The forward to a `target` (`/path` or `host:port`) as the node sees it; raises Unreachable."""
        async with self._busy:
            found = self._forwards.get(target)
            if found is None:
                if len(self._forwards) >= MAX_FORWARDS:
                    await self._cancel(min(self._forwards.values(), key=lambda forward: forward.used))
                path = self._folder / f"{self._name}.{next(self._count)}"
                await self._request("forward", f"{path}:{target}")
                found = self._forwards[target] = Forward(path, target, 0)
            found.used = time.monotonic()
            return found

    @contextmanager
    def kept(self) -> Iterator[None]:
        """It is in use while this is open, also when no forward carries anything."""
        self._keepers += 1
        try:
            yield
        finally:
            self._keepers -= 1

    async def tidy(self, before: float) -> bool:
        """Cancels forwards that were last asked for before this time and carry nothing; whether it is of no use now."""
        carrying = await asyncio.to_thread(connected_sockets)
        async with self._busy:
            for forward in list(self._forwards.values()):
                if forward.used < before and str(forward.path) not in carrying:
                    with suppress(UpstreamFailed):
                        await self._cancel(forward)
            return not (self._forwards or self._keepers)

    async def _cancel(self, forward: Forward) -> None:
        del self._forwards[forward.target]
        await self._request("cancel", f"{forward.path}:{forward.target}")
        forward.path.unlink(missing_ok=True)

    async def explain(self) -> str | None:
        """Why a connection through a forward ended at once, if the node said so; a moment is given to hear it."""
        await asyncio.sleep(EXPLAIN_S)
        heard, self._heard = self._heard, ""
        return complaint(self.node, heard)

    async def _request(self, verb: str, *forward: str) -> str:
        """What ssh answers to a request to the running master; raises Unreachable when it refuses."""
        argv = request_argv(self._settings, self.node, self.control, verb, *forward)
        try:
            status, said = await self._run(argv, asyncio.subprocess.PIPE)
        except asyncio.TimeoutError:
            raise Unreachable(f"ssh to {self.node} does not take requests. Try again.", reason="ssh-failed") from None
        if status:
            raise failure(self.node, said)
        return said

    async def _run(self, argv: list[str], out: int) -> tuple[int, str]:
        """The status of a command and what it said, if `out` is a pipe; raises TimeoutError after REQUEST_S."""
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, env=environment(os.environ)
        )
        try:
            said = await asyncio.wait_for(process.communicate(), REQUEST_S)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, b"".join(part or b"" for part in said).decode(errors="replace")


def connected_sockets() -> set[str]:
    """The paths of unix sockets on this machine at which somebody is connected now; blocks."""
    lines = Path("/proc/net/unix").read_bytes().splitlines()[1:]
    fields = (line.split(maxsplit=7) for line in lines)
    return {os.fsdecode(parts[7]) for parts in fields if len(parts) == 8 and parts[5] == CONNECTED}
