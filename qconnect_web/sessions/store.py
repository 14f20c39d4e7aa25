"""The session folders: what the server wrote and what the job wrote (private_files: how)."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..errors import QConnectError, UnknownSession
from ..private_files import open_folder, read_private, seal, unseal, write_private
from ..values.job import same_job
from ..values.session import Connection, End, Record

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
MAX_ANSWER = 8 * 1024 * 1024
GONE = ".gone-"
LOGS = ("job.log", "xpra.log", "vnc.log", "door.log", "app.log", "scheduler.log")
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
T = TypeVar("T", Connection, End)


@dataclass(frozen=True)
class Facts:
    """What one session folder says; `connection` and `end` are of the current run of the record's job, or None."""

    record: Record
    run: str | None = None
    connection: Connection | None = None
    end: End | None = None


class Store:
    """Reads and writes the session folders below one root; every method may block on the file system."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def prepare(self) -> None:
        """Makes the root, private; raises Forbidden when somebody else could use it."""
        for missing in reversed([path for path in (self.root, *self.root.parents) if not path.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
        with open_folder(self.root):
            for away in self.root.glob(f"{GONE}*"):
                shutil.rmtree(away, ignore_errors=True)

    def folder(self, key: str) -> Path:
        """Where a session's files are; raises UnknownSession for what cannot be a key."""
        if not KEY.fullmatch(key):
            raise UnknownSession("There is no such session.")
        return self.root / key

    def create(self, record: Record) -> bool:
        """Makes the folder of a new session with its record; False when the key is taken (nothing is touched)."""
        path = self.folder(record.key)
        self.prepare()
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            return False
        path.chmod(0o700)  # a setgid parent or a default ACL may have added bits
        try:
            self.write(record)
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
        return True

    def write(self, record: Record) -> None:
        """Replaces the record of an existing session."""
        with open_folder(self.folder(record.key)) as folder:
            write_private(folder, "session.json", seal(record.to_json()))

    def write_script(self, key: str, script: str) -> None:
        """Keeps the script as it is about to be submitted."""
        with open_folder(self.folder(key)) as folder:
            write_private(folder, "job.sh", script.encode())

    def write_screen(self, key: str, width: int, height: int) -> None:
        """Tells the job the size of the user's window (CSS pixels), so that its display has it from the start."""
        with open_folder(self.folder(key)) as folder:
            write_private(folder, "screen", f"{width}x{height}\n".encode())

    def list_keys(self) -> list[str]:
        """The keys of all session folders, newest last; listing also makes NFS look again."""
        with open_folder(self.root) as folder, os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if KEY.fullmatch(entry.name) and entry.is_dir())

    def read(self, key: str) -> Facts | None:
        """What a folder says, or None while it has no whole record; raises Forbidden when it is not private."""
        try:
            with open_folder(self.folder(key)) as folder:
                list(os.scandir(folder))  # NFS: look at the directory again before believing that a file is missing
                return _facts(folder)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def text(self, key: str, name: str, limit: int) -> str | None:
        """The last `limit` bytes of one of the session's text files, control characters left out; None if missing."""
        try:
            with open_folder(self.folder(key)) as folder:
                content = read_private(folder, name, limit, tail=True)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return None if content is None else CONTROLS.sub("", content.decode(errors="replace"))

    def answer(self) -> dict[str, Any] | None:
        """The scheduler's last answer as some server left it, or None when there is no whole one."""
        with open_folder(self.root) as folder:
            return unseal(read_private(folder, ".answer.json", MAX_ANSWER) or b"")

    def write_answer(self, data: dict[str, Any]) -> None:
        """Leaves the scheduler's answer for other servers; a full disk only makes them ask for themselves."""
        with suppress(OSError), open_folder(self.root) as folder:
            write_private(folder, ".answer.json", seal(data))

    def remove(self, key: str) -> None:
        """Forgets a session's folder, whatever is in it; a folder that is gone already is forgotten.

        It is moved away first: the job's supervisor may still be writing its last words into it.
        """
        path, away = self.folder(key), self.root / f"{GONE}{secrets.token_hex(8)}"
        with suppress(FileNotFoundError), open_folder(path):
            path.rename(away)
        shutil.rmtree(away, ignore_errors=True)  # what fails now goes with the next `prepare`


def _facts(folder: int) -> Facts | None:
    """The facts of an open session folder; torn or foreign files count as not there yet."""
    data = unseal(read_private(folder, "session.json") or b"")
    if data is None:
        return None
    record = Record.from_json(data)
    run = (read_private(folder, "run", 128) or b"").decode(errors="replace").strip() or None
    connection = _of_run(Connection, folder, "connection.json", run, record)
    return Facts(record, run, connection, _of_run(End, folder, "ended.json", run, record))


def _of_run(kind: type[T], folder: int, name: str, run: str | None, record: Record) -> T | None:
    """What the job wrote, if it is whole and of the current run: an older generation's word counts for nothing."""
    data = unseal(read_private(folder, name) or b"")
    if data is None or run is None:
        return None
    try:
        found = kind.from_json(data)
    except (QConnectError, TypeError, ValueError):
        return None
    mine = record.job_id is None or same_job(record.job_id, found.job)
    return found if found.run == run and mine else None
