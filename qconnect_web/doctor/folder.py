"""Can the sessions folder be used, by nobody else, and from the nodes?"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from pathlib import Path

from ..errors import Forbidden
from ..private_files import open_folder, write_private
from .findings import Finding, Level, rough

SHARED = ("nfs", "lustre", "gpfs", "beegfs", "ceph", "afs", "panfs", "pvfs2", "cifs", "smb", "9p", "fuse", "glusterfs")
"""How the types of file systems begin that several machines can see (/proc/self/mountinfo)."""
LITTLE_SPACE = 100 << 20
SKEW_S = 5.0
MOUNTS = Path("/proc/self/mountinfo")


def sessions_folder(folder: Path) -> list[Finding]:
    check = "sessions folder"
    if not folder.is_symlink() and not folder.exists():
        above = next(path for path in folder.parents if path.exists())
        if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
            return [Finding(check, Level.OK, f"{folder} is not there yet; the first session makes it.")]
        advice = f"Make it yourself, or set c.QConnect.sessions_dir; {above} must let you in."
        return [Finding(check, Level.PROBLEM, f"{folder} cannot be made below {above}.", advice)]
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return [Finding(check, Level.PROBLEM, f"{folder} is not a folder.", "Move it away; a link will not do.")]
    try:
        with open_folder(folder) as opened:
            skew = _write(opened)
    except Forbidden:
        found = f"Others may use {folder} (mode {stat.S_IMODE(status.st_mode):04o}, owner {status.st_uid})."
        return [Finding(check, Level.PROBLEM, found, f"It must be yours alone. Run: chmod 700 {folder}")]
    except OSError as error:
        advice = "Nothing can be started. Make room there (look at your quota), or set c.QConnect.sessions_dir."
        return [Finding(check, Level.PROBLEM, f"{folder} cannot be written: {error.strerror}.", advice)]
    return [_space(folder), *_clock(skew)]


def _write(folder: int) -> float:
    """Writes a file and removes it; returns by how many seconds the file server's clock is before ours."""
    name = f".doctor.{os.getpid()}"
    try:
        write_private(folder, name, b"written by qconnect --doctor\n")
        return os.stat(name, dir_fd=folder).st_mtime - time.time()
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)


def _space(folder: Path) -> Finding:
    room = os.statvfs(folder)
    free = room.f_bavail * room.f_frsize
    found = f"{folder} is private, can be written, and has {rough(free)} left."
    if free >= LITTLE_SPACE:
        return Finding("sessions folder", Level.OK, found)
    return Finding("sessions folder", Level.WARNING, found, "Make room: logs that cannot grow say nothing.")


def _clock(skew: float) -> list[Finding]:
    if abs(skew) <= SKEW_S:
        return [Finding("clock", Level.OK, "This machine and the folder's file server agree.")]
    found = f"The folder's file server is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}."
    return [Finding("clock", Level.WARNING, found, "Synchronise the clocks (chrony, ntpd): times shown are wrong.")]


def shared_folder(folder: Path, *, local: bool) -> list[Finding]:
    kind, mount = _mounted(folder)
    where = f"{folder} is on {kind} ({mount})"
    if local:
        return [Finding("shared folder", Level.OK, f"{where}; jobs run on this machine, so it need not be shared.")]
    if kind.startswith(SHARED):
        return [Finding("shared folder", Level.OK, f"{where}, which other machines can see.")]
    advice = f"Compute nodes must see this very folder. Look from a job: ls -ld {folder}"
    return [Finding("shared folder", Level.WARNING, f"{where}, which looks like a disk of this machine.", advice)]


def _mounted(folder: Path) -> tuple[str, str]:
    """(type, mount point) of the file system that a folder is on, or would be."""
    there = next(path for path in (folder, *folder.parents) if path.exists()).resolve()
    best = ("unknown", "/")
    for line in MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
        before, _, after = line.partition(" - ")
        point = before.split()[4].encode().decode("unicode_escape")
        if there.is_relative_to(point) and len(point) >= len(best[1]):
            best = (after.split()[0], point)
    return best
