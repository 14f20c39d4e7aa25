"""What the kernel says of processes, and the end of all that are in a session; standard library only."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path


def boot_id() -> str:
    """The kernel's name for this boot (random(4)): process numbers mean nothing across boots."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def stat_fields(pid: int | str) -> list[str]:
    """What the kernel says of a process from its state on (proc(5), stat field 3); empty when there is none."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return []


def identity(pid: int) -> str:
    """`pid:start time`: a number alone may be another process's by the time that it is used."""
    fields = stat_fields(pid)
    return f"{pid}:{fields[19]}" if fields else f"{pid}:gone"


def members(session: int) -> list[int]:
    """The living processes of a session; zombies have nothing left to end."""
    found = {entry.name: stat_fields(entry.name) for entry in Path("/proc").glob("[0-9]*")}
    return [int(pid) for pid, fields in found.items() if fields and int(fields[3]) == session and fields[0] not in "ZX"]


def end_session(session: int, grace: float) -> None:
    """Ends every process of a session: SIGTERM, `grace` seconds, then SIGKILL until none is left (bounded)."""
    deadline = time.monotonic() + grace
    send(session, signal.SIGTERM)
    while members(session) and time.monotonic() < deadline:
        time.sleep(0.02)
    for _ in range(100):
        if not send(session, signal.SIGKILL):
            return
        time.sleep(0.02)


def send(session: int, number: signal.Signals) -> int:
    """Sends a signal to every process of a session; returns how many it reached: one of another user, it cannot."""
    reached = 0
    for pid in members(session):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
            reached += 1
    return reached
