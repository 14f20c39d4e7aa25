"""Files that nobody but their owner can use, read and written so that nothing is torn.

A folder is 0700, its files are 0600 and ours; each is opened without following symlinks, through the folder's own
descriptor, so that a path cannot be swapped between check and use. JSON files carry the SHA-256 of their first line
as a second line: over NFS a reader can see half a file, and half a file is not an answer.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import Forbidden

MAX_JSON = 512 * 1024
"""Bytes of a JSON file: a command of 32 KiB may take twelve times its length (`\\ud83d\\ude00`)."""


def seal(data: dict[str, Any]) -> bytes:
    """One line of JSON and the line with its checksum."""
    line = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    return f"{line}\n{hashlib.sha256(line.encode()).hexdigest()}\n".encode()


def unseal(content: bytes) -> dict[str, Any] | None:
    """The object that `seal` wrote; None when the content is torn, ValueError when it is whole and no such object.

    Bytes that are no UTF-8 are replaced: a job writes what its node calls things.
    """
    line, _, rest = content.partition(b"\n")
    if rest.strip() != hashlib.sha256(line).hexdigest().encode():
        return None
    try:
        data = json.loads(line.decode(errors="replace"))
    except RecursionError:
        raise ValueError("It is nested too deeply") from None
    if not isinstance(data, dict):
        raise ValueError("It holds no object")
    return data


@contextmanager
def open_folder(path: Path, inside: int | None = None) -> Iterator[int]:
    """A descriptor of a private folder, opened by its name if what it lies in is open (`inside`).

    Raises Forbidden unless it is a real folder, ours and 0700.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    found = os.open(path if inside is None else path.name, flags, dir_fd=inside)
    try:
        check_private(os.fstat(found), path)
        yield found
    finally:
        os.close(found)


def check_private(status: os.stat_result, path: Path | str) -> None:
    """Raises Forbidden unless the file or folder belongs to us and nobody else has any right on it."""
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        remedy = "Run: chmod -R go=" if status.st_uid == os.geteuid() else "It is somebody else's; move it away:"
        raise Forbidden(
            f"{path} can be used by others than you, so it is not trusted. {remedy} {path}", reason="not-private"
        )


def check_file(status: os.stat_result, path: Path | str) -> None:
    """Raises Forbidden unless it is a plain private file with no second name."""
    check_private(status, path)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        raise Forbidden(f"{path} is not a plain file.", reason="not-private")


def read_private(folder: int, name: str, limit: int = MAX_JSON, *, tail: bool = False) -> bytes | None:
    """At most `limit` bytes (the last ones with `tail`) of a private file in an open folder; None if missing."""
    try:
        found = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Forbidden(f"{name} of the session cannot be opened: {error.strerror}.", reason="not-private") from error
    try:  # a folder of that name has a descriptor, and is none that a file can be made of
        status = os.fstat(found)
        check_file(status, name)
        with os.fdopen(found, "rb", closefd=False) as file:
            if tail and status.st_size > limit:
                file.seek(-limit, os.SEEK_END)
            return file.read(limit)
    finally:
        os.close(found)


def append_private(path: Path, lines: bytes) -> None:
    """Appends whole lines to a 0600 file, which is made if need be; its folder must be there.

    Raises Forbidden unless it is a plain file of ours, not found by a link, that nobody else can use; OSError, with the
    path, where it cannot be opened or not all fits. What is left of a line then does not run into the next one.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    found = os.open(path, flags, 0o600)
    try:
        status = os.fstat(found)
        check_file(status, path)
        with suppress(OSError):  # where the file system has no locks, a half of somebody's line may end in an empty one
            fcntl.flock(found, fcntl.LOCK_EX)  # by whoever appends, for as long as that takes
            status = os.fstat(found)
        torn = status.st_size and os.pread(found, 1, status.st_size - 1) != b"\n"
        content = b"\n" + lines if torn else lines
        if os.write(found, content) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(found)


def write_private(folder: int, name: str, content: bytes) -> None:
    """Writes a 0600 file in an open folder by write, fsync and rename; OSError (quota, read-only) goes through."""
    beside = f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    found = os.open(beside, flags, 0o600, dir_fd=folder)
    try:
        with os.fdopen(found, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(found)
        os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside, dir_fd=folder)
        raise
