"""The session folders: what the server wrote and what the job wrote (private_files: how)."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..errors import BadRequest, DamagedFile, UnknownSession
from ..private_files import open_folder, read_private, seal, unseal, write_private
from ..values.job import same_job
from ..values.session import KEY, RUN, Connection, End, Record
from . import timings

MAX_ANSWER = 8 * 1024 * 1024
GONE = ".gone-"
LOGS = ("job.log", "xpra.log", "vnc.log", "door.log", "app.log", "scheduler.log")
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
T = TypeVar("T", Connection, End)
V = TypeVar("V", Record, Connection, End)


@dataclass(frozen=True)
class Facts:
    """What one session folder says; `connection` and `end` are of the current run of the record's job, or None.

    `damage` says which of the job's files is none that a job writes; what it would have told is then not known.
    """

    record: Record
    run: str | None = None
    connection: Connection | None = None
    end: End | None = None
    damage: str | None = None


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
        """What a folder says, or None while it has no whole record.

        Raises DamagedFile when the record is none that anybody wrote, Forbidden when the folder is not private.
        """
        path = self.folder(key)
        try:
            with open_folder(path) as folder:
                with os.scandir(folder) as entries:
                    next(entries, None)  # NFS: look at the directory again before believing that a file is missing
                return _facts(_Files(folder, path))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def since(self, key: str) -> float:
        """When a session's folder was last changed (epoch seconds), be it ours or not."""
        return self.folder(key).lstat().st_mtime

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
        with open_folder(self.root) as folder, suppress(ValueError):
            return unseal(read_private(folder, ".answer.json", MAX_ANSWER) or b"")
        return None

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


@dataclass(frozen=True)
class _Files:
    """The files of an open session folder; each is read as what it should hold, or it is damaged."""

    folder: int
    path: Path

    def record(self) -> Record | None:
        """The session's record, which is the folder's own; None while there is no whole one."""
        data = self._sealed("session.json")
        record = None if data is None else self._value("session.json", Record.from_json, data)
        if record and record.key != self.path.name:  # what is done to the one would be done to the other
            raise self._damaged("session.json", f"It is the record of the session {record.key}.")
        return record

    def run(self) -> str | None:
        """The current run."""
        run = (read_private(self.folder, "run", 130) or b"").decode(errors="replace").strip()
        if run and not RUN.fullmatch(run):
            raise self._damaged("run", "It names no run.")
        return run or None

    def said(self, name: str, read: Callable[[dict[str, Any]], T], run: str, record: Record) -> T | None:
        """What the record's job wrote in this run: an older generation's word counts for nothing."""
        data = self._sealed(name)
        if data is None or (isinstance(data.get("run"), str) and data["run"] != run):
            return None
        found = self._value(name, read, data)
        return found if record.job_id is None or same_job(record.job_id, found.job) else None

    def _sealed(self, name: str) -> dict[str, Any] | None:
        """The object in a file; None while it is missing or torn."""
        content = read_private(self.folder, name)
        if content is None:
            return None
        try:
            data = unseal(content)
        except ValueError as error:
            raise self._damaged(name, f"{error}.") from None
        if data is None and time.time() - self._written(name) > timings.TORN:
            raise self._damaged(name, "It was not written to its end.")
        return data

    def _value(self, name: str, read: Callable[[dict[str, Any]], V], data: dict[str, Any]) -> V:
        try:
            return read(data)
        except BadRequest as error:
            raise self._damaged(name, error.message) from None

    def _damaged(self, name: str, what: str) -> DamagedFile:
        return DamagedFile(
            f"{self.path / name} is damaged. {what} The session cannot be used: end its job if it still runs, then "
            "remove the folder.",
            since=self._written(name),
        )

    def _written(self, name: str) -> float:
        return os.stat(name, dir_fd=self.folder, follow_symlinks=False).st_mtime


def _facts(files: _Files) -> Facts | None:
    """The facts of an open session folder; torn files count as not there yet."""
    record = files.record()
    if record is None:
        return None
    run, connection, end, damage = None, None, None, None
    try:
        if run := files.run():
            end = files.said("ended.json", End.from_json, run, record)
            connection = files.said("connection.json", Connection.from_json, run, record)
    except DamagedFile as error:
        damage = error.message
    return Facts(record, run, connection, end, damage)
