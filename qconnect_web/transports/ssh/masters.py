"""The masters of one server, one per node: opened when needed, shared, watched, closed when idle."""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import logging
import math
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...aio import stop
from ...errors import UpstreamFailed
from ..login_questions import Asker
from .master import Forward, Master
from .options import SshSettings, client_words, may_ask

MAX_OPENING = 4
"""Logins under way at a time: behind one gateway, ten of them start to be turned away (sshd's MaxStartups)."""
BUSY_TRIES, BUSY_WAIT_S = 3, 0.7
TIDY_S = 30.0
NEW_S = 60.0
"""A folder so new may belong to a server that is just about to lock it."""
HOLD_S = {"login-refused": 60.0, "host-key-unknown": 60.0, "host-key-changed": 60.0, "not-answered": math.inf}
HOLD_OTHERS_S = 3.0
"""How long a failure stands before ssh is tried again: refused logins must not pile up at the node."""


class Masters:
    """Finds the master of a node, or opens it: once, however many wait for it."""

    def __init__(self, settings: SshSettings, asker: Asker | None, log: logging.Logger) -> None:
        self._settings, self._asker, self._log = settings, asker, log
        self._folder: PrivateFolder | None = None
        self._masters: dict[str, Master] = {}
        self._opening: dict[str, asyncio.Task[Master]] = {}
        self._failed: dict[str, tuple[float, UpstreamFailed]] = {}
        self._slots = asyncio.Semaphore(MAX_OPENING)
        self._numbers = itertools.count()
        self._tidying: asyncio.Task[None] | None = None

    async def forward(self, node: str, target: str) -> tuple[Master, Forward]:
        """A way to `target` at the node, by its master; raises Unreachable, IdentityMismatch."""
        master = await self._master(node)
        try:
            return master, await master.forward(target)
        except UpstreamFailed:
            if not await master.dies():
                raise
        master = await self._master(node)  # it died while it was asked
        return master, await master.forward(target)

    def retry(self, node: str) -> None:
        """Lets a node be tried, and the user be asked, at once."""
        self._failed.pop(node, None)

    @contextmanager
    def sharing(self, node: str) -> Iterator[list[str]]:
        """Words for `ssh` with which a terminal goes over the node's connection, which stays meanwhile; or none."""
        master = self._masters.get(node)
        if not (master and master.alive):
            yield []
            return
        with master.kept():
            yield client_words(master.control)

    async def close(self) -> None:
        """Ends all connections and removes the folder."""
        await stop(*(task for task in (self._tidying, *self._opening.values()) if task))
        await asyncio.gather(*(master.close() for master in self._masters.values()))
        self._masters.clear()
        if self._folder:
            await asyncio.to_thread(self._folder.remove)
            self._folder = None

    # ------------------------------------------------------------------ one node
    async def _master(self, node: str) -> Master:
        master = self._masters.get(node)
        if master and master.alive:
            return master
        until, failed = self._failed.get(node, (0.0, None))
        if failed and time.monotonic() < until:
            raise type(failed)(failed.message, reason=failed.reason)
        opening = self._opening.get(node)
        if opening is None:
            opening = self._opening[node] = asyncio.create_task(self._open(node))
            opening.add_done_callback(lambda task: self._opened(node, task))
        return await asyncio.shield(opening)  # others may wait for it, and the user may be typing an answer

    def _opened(self, node: str, task: asyncio.Task[Master]) -> None:
        self._opening.pop(node, None)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, UpstreamFailed):
            self._failed[node] = time.monotonic() + HOLD_S.get(error.reason, HOLD_OTHERS_S), error
            self._log.warning("qconnect: no way to %s by ssh (%s)", node, error.reason)
        elif error:
            self._log.error("qconnect: connecting to %s by ssh broke", node, exc_info=error)

    async def _open(self, node: str) -> Master:
        """A new master, in place of a dead one; asks the user only if it does not work without."""
        dead = self._masters.pop(node, None)
        if dead:
            self._log.info("qconnect: the ssh connection to %s was lost", node)
            await dead.close()
        self._failed.pop(node, None)
        async with self._slots:
            master = await self._login(node)
        self._masters[node] = master
        self._log.info("qconnect: connected to %s by ssh", node)
        if self._tidying is None:
            self._tidying = asyncio.create_task(self._tidy())
        return master

    async def _login(self, node: str) -> Master:
        for attempt in range(1, BUSY_TRIES + 1):
            try:
                return await self._attempt(node, None)
            except UpstreamFailed as error:
                if self._asker and may_ask(error, self._settings):
                    break
                if error.reason != "busy" or attempt == BUSY_TRIES:
                    raise
            await asyncio.sleep(BUSY_WAIT_S * attempt * random.uniform(0.5, 1.5))  # noqa: S311 - only spreads them
        return await self._attempt(node, self._asker)

    async def _attempt(self, node: str, asker: Asker | None) -> Master:
        if self._folder is None:
            self._folder = await asyncio.to_thread(PrivateFolder)
        master = Master(node, self._settings, self._folder.path, next(self._numbers))
        await master.open(asker)
        return master

    async def _tidy(self) -> None:
        """Closes what nothing goes through any more."""
        idle = self._settings.idle_s
        while True:
            await asyncio.sleep(min(TIDY_S, idle / 2))
            for node, master in list(self._masters.items()):
                if master.alive and await master.tidy(time.monotonic() - idle) and master is self._masters.get(node):
                    del self._masters[node]
                    await master.close()
                    self._log.info("qconnect: the ssh connection to %s was closed: nothing went through it", node)


class PrivateFolder:
    """A folder of ours alone for the sockets, in /tmp as a socket's path has 107 bytes; locked while we live."""

    PREFIX = f"qcs-{os.geteuid()}."

    def __init__(self) -> None:
        self._sweep()
        self.path = Path(tempfile.mkdtemp(prefix=self.PREFIX, dir="/tmp"))
        self._lock = _lock(self.path)

    def remove(self) -> None:
        """Removes it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _sweep(self) -> None:
        """Removes the folders of servers that were killed: nobody holds their locks."""
        for path in Path("/tmp").glob(f"{self.PREFIX}*"):  # noqa: S108 - ours are found by owner and lock
            with suppress(OSError):
                status = path.lstat()
                old = time.time() - status.st_mtime > NEW_S and status.st_uid == os.geteuid()
                if old and (lock := _lock(path)) is not None:
                    shutil.rmtree(path, ignore_errors=True)
                    os.close(lock)


def _lock(path: Path) -> int | None:
    """The folder's lock, which ends with the process; None when somebody else has it."""
    opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(opened)
        return None
    return opened
