"""A keyboard as a user has one: a screen with an XKB layout of its own, and real events of its keys.

Which character is where is asked of libxkbcommon, which knows X's own layouts; nothing here is a list of ours.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import Xlib.X
from Xlib.display import Display
from Xlib.ext import xtest

SHIFT, CONTROL, ALT, ALTGR, RETURN = 50, 37, 64, 108, 36
ALTGR_SYMBOL = 0xFE03
"""X's ISO_Level3_Shift; where the key has another, the layout has two levels."""
LEVELS = ((), (SHIFT,), (ALTGR,), (SHIFT, ALTGR))
"""What is held for the four levels of a key."""
PRINTING = [*range(10, 22), *range(24, 36), *range(38, 50), *range(51, 62), 94]
"""The keys that print, by keycode: the block of letters and what is around it."""
DEAD = {
    "dead_grave": "\u0300",
    "dead_acute": "\u0301",
    "dead_circumflex": "\u0302",
    "dead_tilde": "\u0303",
    "dead_diaeresis": "\u0308",
    "dead_abovering": "\u030a",
}
"""Dead keys by X's name, and the mark that each puts on a letter."""


class _Names(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("rules", "model", "layout", "variant", "options")]


def _library() -> Any:
    found = ctypes.CDLL("libxkbcommon.so.0")
    found.xkb_context_new.restype = ctypes.c_void_p
    found.xkb_keymap_new_from_names.restype = ctypes.c_void_p
    found.xkb_keymap_new_from_names.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Names), ctypes.c_int]
    found.xkb_keymap_key_get_syms_by_level.argtypes = [
        ctypes.c_void_p,
        *[ctypes.c_uint32] * 3,
        ctypes.POINTER(ctypes.POINTER(ctypes.c_uint32)),
    ]
    return found


@dataclass(frozen=True)
class Stroke:
    """One key on one level."""

    keycode: int
    level: int


@dataclass(frozen=True)
class Layout:
    """A layout of X's, such as `de(nodeadkeys)`."""

    name: str

    @property
    def options(self) -> list[str]:
        """What setxkbmap is told."""
        layout, _, variant = self.name.rstrip(")").partition("(")
        return ["-rules", "evdev", "-model", "pc105", "-layout", layout, "-variant", variant]

    @cached_property
    def _symbols(self) -> dict[Stroke, int]:
        library = _library()
        layout, variant = (self.options[at].encode() for at in (5, 7))
        names = _Names(b"evdev", b"pc105", layout, variant, b"")
        keymap = library.xkb_keymap_new_from_names(library.xkb_context_new(0), ctypes.byref(names), 0)
        assert keymap, f"there is no layout {self.name}"
        symbols = ctypes.POINTER(ctypes.c_uint32)()

        def symbol(keycode: int, level: int) -> int:
            count = library.xkb_keymap_key_get_syms_by_level(keymap, keycode, 0, level, ctypes.byref(symbols))
            return int(symbols[0]) if count == 1 else 0

        levels = 4 if symbol(ALTGR, 0) == ALTGR_SYMBOL else 2
        strokes = [Stroke(keycode, level) for keycode in PRINTING for level in range(levels)]
        return {stroke: found for stroke in strokes if (found := symbol(stroke.keycode, stroke.level))}

    @cached_property
    def characters(self) -> list[tuple[str, Stroke]]:
        """Every character that a key prints, on every level."""
        points = {stroke: _library().xkb_keysym_to_utf32(symbol) for stroke, symbol in self._symbols.items()}
        return [(chr(point), stroke) for stroke, point in points.items() if point > 32 and point != 127]

    @cached_property
    def combinations(self) -> list[tuple[str, tuple[Stroke, Stroke]]]:
        """Up to six letters that take a dead key and another one."""
        names, found = ctypes.create_string_buffer(64), []
        letters = dict(reversed(self.characters))
        for stroke, symbol in self._symbols.items():
            _library().xkb_keysym_get_name(symbol, names, 64)
            for letter in "eaou" if (mark := DEAD.get(names.value.decode())) else "":
                whole = unicodedata.normalize("NFC", letter + str(mark))
                if len(whole) == 1 and letter in letters:
                    found.append((whole, (stroke, letters[letter])))
        chosen = dict(reversed(found))
        return list(chosen.items())[:6]


class Keyboard:
    """A screen with nothing on it but what a test opens there, and the keys before it."""

    def __init__(self) -> None:
        read, write = os.pipe()
        geometry = ["-screen", "0", "1280x900x24", "-nolisten", "tcp", "-ac", "-noreset"]
        argv = ["Xvfb", "-displayfd", str(write), *geometry]
        self.process = subprocess.Popen(argv, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as told:
            self.display = f":{told.readline().strip()}"
        self._x = Display(self.display)

    def choose(self, layout: Layout) -> None:
        """The user's desktop has this layout now."""
        argv = ["setxkbmap", "-display", self.display, *layout.options]
        subprocess.run(argv, timeout=20, check=True, capture_output=True)

    def repeats(self, on: bool) -> None:
        """Whether a key that is held repeats."""
        self._x.change_keyboard_control(auto_repeat_mode=Xlib.X.AutoRepeatModeOn if on else Xlib.X.AutoRepeatModeOff)
        self._x.sync()

    def enter_window(self, name: str = "") -> None:
        """Gives the keys to the largest window, of this class if any is named, as a window manager would."""
        tops = self._x.screen().root.query_tree().children
        seen = [top for top in tops if top.get_attributes().map_state == Xlib.X.IsViewable]
        seen = [top for top in seen if not name or name in (top.get_wm_class() or ())]
        largest = max(seen, key=lambda top: top.get_geometry().width * top.get_geometry().height)
        largest.set_input_focus(Xlib.X.RevertToPointerRoot, Xlib.X.CurrentTime)
        self._x.sync()

    def click(self, x: int, y: int) -> None:
        xtest.fake_input(self._x, Xlib.X.MotionNotify, x=x, y=y)
        for kind in (Xlib.X.ButtonPress, Xlib.X.ButtonRelease):
            xtest.fake_input(self._x, kind, 1)
        self._x.sync()

    def _fake(self, keycode: int, down: bool) -> None:
        xtest.fake_input(self._x, Xlib.X.KeyPress if down else Xlib.X.KeyRelease, keycode)
        self._x.sync()

    def press(self, *keycodes: int) -> None:
        for keycode in keycodes:
            self._fake(keycode, True)

    def release(self, *keycodes: int) -> None:
        for keycode in reversed(keycodes):
            self._fake(keycode, False)

    @contextmanager
    def held(self, *keycodes: int) -> Iterator[None]:
        self.press(*keycodes)
        yield
        self.release(*keycodes)

    def tap(self, keycode: int, *held: int) -> None:
        """One key, with these held."""
        with self.held(*held, keycode):
            pass

    def type(self, strokes: Iterable[Stroke], pause: float = 0.012) -> None:
        """Keys of the layout that was chosen, at a fast typist's pace."""
        for stroke in strokes:
            self.tap(stroke.keycode, *LEVELS[stroke.level])
            time.sleep(pause)  # the pace of the typing

    def close(self) -> None:
        self._x.close()
        self.process.terminate()
        self.process.wait(10)
