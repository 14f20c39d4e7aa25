"""Runs one command of a batch system: bounded in time, output and number, and never in a shell."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..environment import job_environment
from ..errors import SchedulerFailed, SchedulerUnavailable

QUERY_TIMEOUT = 20.0
"""Seconds for a question; a mute server is given up by PBS itself a little sooner (API_TIMEOUT)."""
SUBMIT_TIMEOUT = 40.0
"""Seconds for a submission or a cancellation: what they began, the server may still finish after us."""
API_TIMEOUT = 15
"""PBSAPITIMEOUT, seconds: TORQUE's commands wait 300 otherwise (torque.md, Listing)."""
REAP_TIMEOUT = 2.0
"""Seconds for a killed command to be gone, and for the output of one that ended to be complete."""
MAX_OUTPUT = 64 << 20
"""Bytes of an answer: 16 000 jobs of `squeue --json`, 50 000 of `qstat -x`."""
MAX_WORDS = 64 << 10
"""Bytes of error output that are kept."""
FOR_COMMANDS = (
    "PBS_DEFAULT",
    "PBS_SERVER",
    "PBS_CONF_FILE",
    "SLURM_CONF",
    "SLURM_CLUSTERS",
    "SBATCH_ACCOUNT",
    "MUNGE_SOCKET",
    "KRB5CCNAME",
)
"""What tells a batch system's commands which server to ask, and as whom."""
NOT_FOR_COMMANDS = ("PBS_", "PBSAPI", "SLURM_", "SBATCH_", "SQUEUE_", "SINFO_", "SCANCEL_", "SALLOC_", "SRUN_")
"""Other variables of a batch system change what its commands print or ask for: those of a job that Jupyter runs in."""


@dataclass(frozen=True)
class Done:
    """A command that ended by itself."""

    argv: tuple[str, ...]
    status: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """What it said to people, in at most 600 characters: its error output, else its output."""
        lines = [line.strip() for line in (self.err.strip() or self.out.strip()).splitlines() if line.strip()]
        text = " / ".join(dict.fromkeys(lines)) or f"{self.argv[0]} ended with status {self.status} and said nothing"
        return text if len(text) <= 600 else f"{text[:597]}…"


def environment() -> dict[str, str]:
    """The server's environment as a batch system's commands may see it: no secret, no other job's variables."""
    plain = {name: value for name, value in job_environment().items() if not name.startswith(NOT_FOR_COMMANDS)}
    kept = {name: os.environ[name] for name in FOR_COMMANDS if name in os.environ}
    return {**plain, **kept, "PBSAPITIMEOUT": str(API_TIMEOUT)}


Told = Callable[[Sequence[str], str, float], None]
"""Hears of each command: its words, `ok`, `error`, `timeout`, `no-command` or `broken-off`, and how long it took."""


class Commands:
    """Runs commands; of the questions, one at a time. What becomes of each is `told`."""

    def __init__(self, told: Told = lambda argv, outcome, seconds: None) -> None:
        self._told = told
        self._query_timeout = QUERY_TIMEOUT
        self._submit_timeout = SUBMIT_TIMEOUT
        self._asking: asyncio.Lock | None = None

    async def ask(self, argv: Sequence[str]) -> Done:
        """The answer to a question; waits its turn. Raises SchedulerUnavailable when there is none in time."""
        self._asking = self._asking or asyncio.Lock()
        try:
            await asyncio.wait_for(self._asking.acquire(), 2 * self._query_timeout)
        except asyncio.TimeoutError:
            raise SchedulerUnavailable(
                f"The batch system is slow: {argv[0]} could not be asked. Trying again."
            ) from None
        try:
            return await self._noted(argv, run(argv, timeout=self._query_timeout))
        finally:
            self._asking.release()

    async def act(
        self,
        argv: Sequence[str],
        *,
        text: str = "",
        folder: Path | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Done:
        """Runs a command that changes something, with `text` on its input, in `folder`.

        Raises SchedulerUnavailable when it does not end in time: what it began may still come true.
        """
        running = run(argv, timeout=self._submit_timeout, text=text, folder=folder, variables=variables)
        return await self._noted(argv, running)

    async def _noted(self, argv: Sequence[str], running: Awaitable[Done]) -> Done:
        """What a command said; tells of it, whatever becomes of it."""
        began, outcome = time.monotonic(), "broken-off"
        try:
            done = await running
            outcome = "error" if done.status else "ok"
        except SchedulerFailed as error:
            silent = isinstance(error, SchedulerUnavailable)
            outcome = "timeout" if silent else "no-command" if error.reason == "no-command" else "error"
            raise
        finally:
            self._told(argv, outcome, time.monotonic() - began)
        return done


async def run(
    argv: Sequence[str],
    *,
    timeout: float,
    text: str = "",
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> Done:
    """Runs one command in a process group of its own, which is killed when the time is up.

    Raises SchedulerFailed when it cannot be run or says too much, SchedulerUnavailable when it does not end.
    """
    loop = asyncio.get_running_loop()
    try:
        with _Input(text) as given:
            transport, talk = await loop.subprocess_exec(
                lambda: _Talk(loop),
                *argv,
                stdin=given,
                env={**environment(), **(variables or {})},
                cwd=folder or "/",
                start_new_session=True,
                umask=0o077,
            )
    except OSError as error:
        raise SchedulerFailed(
            f"{argv[0]} could not be run: {error.strerror}. The batch system's commands must be on the server's PATH.",
            reason="no-command",
        ) from error
    try:
        await asyncio.wait_for(talk.finished(), timeout)
        return Done(tuple(argv), transport.get_returncode() or 0, talk.text(1), talk.text(2))
    except asyncio.TimeoutError:
        raise SchedulerUnavailable(
            f"{argv[0]} did not answer within {timeout:g} seconds and was ended. The batch system may be busy."
        ) from None
    finally:
        await _end(transport, talk)


class _Input:
    """A command's input, as a file in memory: a pipe would end early with us, and half a script be a job."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __enter__(self) -> IO[bytes]:
        self._file = os.fdopen(os.memfd_create("input"), "w+b")
        self._file.write(self.text.encode())
        self._file.seek(0)
        return self._file

    def __exit__(self, *_: object) -> None:
        """By now the command has it."""
        self._file.close()


class _Talk(asyncio.SubprocessProtocol):
    """Keeps a command's output, as far as it is wanted.

    asyncio's own streams are not used: their `wait()` lasts until whatever a command left behind closes its output.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._kept = {1: bytearray(), 2: bytearray()}
        self._open = {1, 2}
        self.exited: asyncio.Future[None] = loop.create_future()
        self._complete: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()

    async def finished(self) -> None:
        """Waits for the end of the command and, shortly, of its output; raises SchedulerFailed for an endless one."""
        await asyncio.wait({self.exited, self._complete}, return_when=asyncio.FIRST_COMPLETED)
        # What it left behind may keep its output open; what it said itself is there by then.
        done, _ = await asyncio.wait({self._complete}, timeout=REAP_TIMEOUT)
        for complete in done:
            complete.result()
        await self.exited

    def text(self, fd: int) -> str:
        return self._kept[fd].decode(errors="replace")

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        kept, limit = self._kept[fd], MAX_OUTPUT if fd == 1 else MAX_WORDS
        kept += data[: limit - len(kept)]
        if fd == 1 and len(kept) >= limit and not self._complete.done():
            error = f"The batch system's answer is longer than {limit >> 20} MB, so it was not read."
            self._complete.set_exception(SchedulerFailed(error))

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open.discard(fd)
        if not self._open and not self._complete.done():
            self._complete.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def process_exited(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)


async def _end(transport: asyncio.SubprocessTransport, talk: _Talk) -> None:
    """Kills the command's whole process group, unless it ended by itself, and lets go of its pipes."""
    if transport.get_returncode() is None:
        with suppress(ProcessLookupError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
    transport.close()
    await asyncio.wait({talk.closed}, timeout=REAP_TIMEOUT)  # stuck in the kernel, it dies when its file server answers
