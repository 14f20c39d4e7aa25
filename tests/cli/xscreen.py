"""The user's own X server, seen and used from outside as a person would."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import Xlib.protocol.event
import Xlib.X
from Xlib.display import Display
from Xlib.error import XError

from tests.deadline import eventually

RED = "red"
PIXEL = b"\x00\x00\xff"
"""That red in an image: blue, green, red, and a byte that nobody looks at."""


class UserScreen:
    """A screen of 1024x768 with nothing on it, not even a window manager."""

    def __init__(self) -> None:
        read, write = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
            pass_fds=[write],
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as told:
            self.display = f":{told.readline().strip()}"
        self._x = Display(self.display)

    def picture(self) -> bytes:
        """The screen as raw pixels, four bytes each."""
        return bytes(self._x.screen().root.get_image(0, 0, 1024, 768, Xlib.X.ZPixmap, 0xFFFFFFFF).data)

    def red(self) -> int:
        """How many pixels are of the test program's red."""
        pixels = self.picture()
        return sum(pixels[at : at + 3] == PIXEL for at in range(0, len(pixels), 4))

    def settled_red(self) -> int:
        """The same, as soon as two looks in a row see the same, and something."""
        last = [0]

        def still() -> int:
            before, last[0] = last[0], self.red()
            return last[0] if last[0] > 10_000 and last[0] == before else 0

        return eventually(still, 30, "the program's window on the user's screen")

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
