"""A small file system in a user's home that all nodes share, to be filled to the last block."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.cluster import Cluster
from tests.cluster.files import USERS
from tests.cluster.node import Node

OPEN_TREE, MOVE_MOUNT = 428, 429
"""System calls (all architectures), which no tool of Debian 12 offers: a mount cloned from one node to another."""
OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH, AT_FDCWD, CLONE_NEWNS = 1, 4, -100, 0x20000


@dataclass(frozen=True)
class Room:
    """The file system, seen from this machine."""

    path: Path

    @contextmanager
    def filled(self, free_kib: int) -> Iterator[None]:
        """So much is left for the user, and no more."""
        ballast = self.path / "ballast"
        with ballast.open("wb") as file:
            room = shutil.disk_usage(self.path).free - (free_kib << 10)
            file.write(b"\0" * room)
        try:
            yield
        finally:
            ballast.unlink()


@contextmanager
def small_home(cluster: Cluster, user: str, kib: int) -> Iterator[Room]:
    """`small` in the user's home on every node: one file system of this size."""
    place = f"/home/{user}/small"
    (cluster.home(user) / "small").mkdir()
    uid = USERS[user]
    options = f"size={kib}k,uid={uid},gid={uid},mode=700"
    cluster.login.run(["mount", "-t", "tmpfs", "-o", options, "small", place])
    for node in cluster.compute:
        subprocess.run([sys.executable, __file__, str(cluster.login.pid), str(node.pid), place], check=True)
    try:
        yield Room(Path(f"/proc/{cluster.login.pid}/root{place}"))
    finally:
        for node in cluster.nodes:
            _unmount(node, place)
        (cluster.home(user) / "small").rmdir()


def _unmount(node: Node, place: str) -> None:
    node.run(["umount", "-l", place])


def clone_mount(source: int, target: int, place: str) -> None:
    """Mounts what process `source` has at `place` there for process `target` too."""
    libc = ctypes.CDLL(None, use_errno=True)

    def checked(result: int) -> int:
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return result

    entrances = [os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY) for pid in (source, target)]
    checked(libc.setns(entrances[0], CLONE_NEWNS))
    tree = checked(libc.syscall(OPEN_TREE, AT_FDCWD, place.encode(), OPEN_TREE_CLONE))
    checked(libc.setns(entrances[1], CLONE_NEWNS))
    checked(libc.syscall(MOVE_MOUNT, tree, b"", AT_FDCWD, place.encode(), MOVE_MOUNT_F_EMPTY_PATH))


if __name__ == "__main__":
    clone_mount(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
