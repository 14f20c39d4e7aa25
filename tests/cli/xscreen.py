"""The user's own X server, seen and used from outside as a person would."""

from __future__ import annotations

import os
import subprocess
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import Xlib.protocol.event
import Xlib.X
from Xlib.display import Display
from Xlib.error import XError

from tests.cluster.node import Node
from tests.support.deadline import eventually

STILL_S = 0.5
RED = "red"
PIXEL = 0xFF0000
"""That red in an image."""
SOCKETS = Path("/tmp/.X11-unix")
FAR = 1_000_000
"""Added to a number of our own, it is nobody's display here."""


class UserScreen:
    """A screen of 1024x768 with nothing on it, not even a window manager; `popen` may start it on another node."""

    def __init__(
        self, popen: Callable[..., subprocess.Popen[bytes]] = subprocess.Popen, sockets: Path = SOCKETS
    ) -> None:
        read, write = os.pipe()
        geometry = ["-screen", "0", "1024x768x24", "-nolisten", "tcp", "-ac"]
        argv = ["Xvfb", "-displayfd", str(write), *geometry]
        self.process = popen(argv, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as told:
            self.display = f":{told.readline().strip()}"
        self._door = SOCKETS / f"X{os.getpid() + FAR}" if sockets != SOCKETS else None
        if self._door:
            self._door.symlink_to(sockets / f"X{self.display[1:]}")
        self._x = Display(f":{self._door.name[1:]}" if self._door else self.display)

    @classmethod
    def on(cls, node: Node, user: str) -> UserScreen:
        """The user's screen at a node of the cluster; `display` is its name there."""
        return cls(lambda argv, **more: node.popen(argv, user, **more), node.tmp / SOCKETS.relative_to("/tmp"))

    def picture(self) -> array[int]:
        """The screen's pixels."""
        image = self._x.screen().root.get_image(0, 0, 1024, 768, Xlib.X.ZPixmap, 0xFFFFFF)
        return array("I", image.data)

    def red(self) -> int:
        """How many pixels are of the test program's red."""
        return self.picture().count(PIXEL)

    def settled_red(self) -> int:
        """The same, as soon as it is something, and has been the same for half a second."""
        seen, since = 0, time.monotonic()

        def still() -> int:
            nonlocal seen, since
            now = self.red()
            if now != seen:
                seen, since = now, time.monotonic()
            return seen if seen > 10_000 and time.monotonic() - since >= STILL_S else 0

        return eventually(still, 30, "the program's window on the user's screen")

    def await_red(self, wanted: int) -> None:
        """Waits until there is that much of the red: 0 is an empty screen."""
        eventually(lambda: self.red() == wanted, 10, f"{wanted} red pixels")

    def windows(self, name: str) -> list[Any]:
        """The windows whose class has that name."""
        found = []
        for window in self._x.screen().root.query_tree().children:
            try:
                names = window.get_wm_class() or ()
            except XError:
                continue
            if any(name.lower() in each.lower() for each in names):
                found.append(window)
        return found

    def close_window(self, name: str) -> None:
        """The cross in the corner of a window."""
        protocols, delete = (self._x.intern_atom(atom) for atom in ("WM_PROTOCOLS", "WM_DELETE_WINDOW"))
        for window in self.windows(name):
            event = Xlib.protocol.event.ClientMessage(
                window=window, client_type=protocols, data=(32, [delete, Xlib.X.CurrentTime, 0, 0, 0])
            )
            window.send_event(event)
        self._x.flush()

    def close(self) -> None:
        self._x.close()
        self.process.terminate()
        self.process.wait(10)
        if self._door:
            self._door.unlink()
