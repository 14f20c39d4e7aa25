"""The keymap that a door keeps: on a real X server, seen by another of its clients."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, unix_connect

from tests.jobscripts.test_door import DOOR, Vnc, answers
from tests.support.deadline import eventually

SEAT, OTHER = 97, 149
"""Keycodes that no keyboard has."""
A_UMLAUT, HAN = 0xE4, 0x1004E00


FAMILY_WILD, COOKIE = b"\xff\xff", b"MIT-MAGIC-COOKIE-1"


def field(data: bytes) -> bytes:
    """One field of an Xauthority file."""
    return len(data).to_bytes(2, "big") + data


class Screen:
    """An X server that lets in who has the cookie, and what its map gives."""

    def __init__(self, folder: Path) -> None:
        read, write = os.pipe()
        self.authority = folder / "Xauthority"
        self.authority.write_bytes(FAMILY_WILD + b"".join(map(field, (b"", b"", COOKIE, os.urandom(16)))))
        argv = ["Xvfb", "-displayfd", str(write), "-auth", str(self.authority), "-nolisten", "tcp", "-noreset"]
        self.process = subprocess.Popen(argv, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as told:
            self.environment = {"DISPLAY": f":{told.readline().strip()}", "XAUTHORITY": str(self.authority)}

    def symbols(self, keycode: int) -> list[int]:
        """What the key gives, without and with Shift; 0 is nothing."""
        return self.all()[keycode]

    def all(self) -> dict[int, list[int]]:
        rows = re.findall(r"^ +(\d+) +\t(.*)$", self.run("xmodmap", "-pk"), re.M)
        found = {int(key): [int(word, 16) for word in re.findall("0x[0-9a-f]+", row)] for key, row in rows}
        return {key: [*symbols, 0, 0][:2] for key, symbols in found.items()}

    def run(self, *argv: str) -> str:
        env = {**os.environ, **self.environment}
        return subprocess.run(argv, env=env, timeout=20, check=True, capture_output=True, text=True).stdout

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    found = Screen(tmp_path)
    yield found
    found.close()


@contextmanager
def door(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """The door in front of an echo, with this in its environment; the path of its socket."""
    vnc, place = Vnc(folder / "rfb.sock"), str(folder / "x.sock")
    argv = [sys.executable, "-IS", str(DOOR), str(folder / "rfb.sock"), "socket", place]
    with subprocess.Popen(argv, env={"PATH": os.environ["PATH"], **environment}) as process:
        try:
            eventually(lambda: answers(place), what="the door")
            yield place
        finally:
            process.terminate()
            vnc.close()


@contextmanager
def visit(place: str, *protocols: Any) -> Iterator[ClientConnection]:
    with unix_connect(place, "ws://door/", subprotocols=protocols, compression=None) as found:
        assert found.recv(10) == b"RFB 003.008\n"
        yield found


def seat(place: ClientConnection, *seats: list[int]) -> None:
    """Says what the map is, and waits until what comes after it has gone through."""
    place.send(json.dumps({"keymap": seats}))
    place.send(b"key")
    assert place.recv(10) == b"key"


def test_a_character_is_on_the_map_before_the_key_that_types_it(tmp_path: Path, screen: Screen) -> None:
    with door(tmp_path, screen.environment) as place, visit(place, "keymap", "binary") as page:
        assert page.subprotocol == "keymap"
        seat(page, [SEAT, A_UMLAUT, HAN], [OTHER, HAN + 1, HAN + 1])
        assert screen.symbols(SEAT) == [A_UMLAUT, HAN]
        assert screen.symbols(OTHER) == [HAN + 1, HAN + 1]
        seat(page, [SEAT, HAN + 2, HAN + 2])
        assert screen.symbols(SEAT) == [HAN + 2, HAN + 2]
        assert screen.symbols(OTHER) == [0, 0]
        assert screen.symbols(38) == [ord("a"), ord("A")]


def test_there_is_room_from_the_start_for_who_says_nothing(tmp_path: Path, screen: Screen) -> None:
    empty = list(screen.all().values()).count([0, 0])
    with door(tmp_path, screen.environment):
        found = {symbol for symbols in screen.all().values() for symbol in symbols}
        assert {A_UMLAUT, 0xC4, 0xDF, 0xE9, 0xF1, 0x1000142, 0x10020AC} <= found
        assert list(screen.all().values()).count([0, 0]) == empty


def test_what_somebody_else_sets_does_not_last(tmp_path: Path, screen: Screen) -> None:
    with door(tmp_path, screen.environment) as place, visit(place, "keymap") as page:
        seat(page, [SEAT, A_UMLAUT, HAN])
        screen.run("setxkbmap", "-layout", "de")
        eventually(lambda: screen.symbols(29) == [ord("z"), ord("Z")], 10, "the other map")
        eventually(lambda: screen.symbols(SEAT) == [A_UMLAUT, HAN], 10, "ours on top of it")
        assert screen.symbols(29) == [ord("z"), ord("Z")]


@pytest.mark.parametrize(
    "words",
    [
        "no JSON",
        "[]",
        '{"keymap": null}',
        '{"keymap": [[7, 97, 97]]}',
        '{"keymap": [[256, 97, 97]]}',
        '{"keymap": [[97, 97]]}',
        '{"keymap": [[97, 0, 97]]}',
        '{"keymap": [[97, 4294967296, 97]]}',
        '{"keymap": [[97, true, 97]]}',
        '{"keymap": [["97", 97, 97]]}',
        '{"keymap": ' + "[" * 30_000 + "}",
    ],
)
def test_what_is_no_keymap_ends_the_visit_and_changes_nothing(tmp_path: Path, screen: Screen, words: str) -> None:
    with door(tmp_path, screen.environment) as place, visit(place, "keymap") as page:
        seat(page, [SEAT, A_UMLAUT, A_UMLAUT])
        page.send(words)
        with pytest.raises(ConnectionClosed) as closed:
            page.recv(10)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1007
        assert screen.symbols(SEAT) == [A_UMLAUT, A_UMLAUT]


def test_a_text_that_is_too_long_ends_the_visit(tmp_path: Path, screen: Screen) -> None:
    with door(tmp_path, screen.environment) as place, visit(place, "keymap") as page:
        page.send(" " * 65_537)
        with pytest.raises(ConnectionClosed) as closed:
            page.recv(10)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1009


def test_without_a_display_or_its_cookie_there_is_a_door_all_the_same(tmp_path: Path, screen: Screen) -> None:
    for environment in ({}, {**screen.environment, "XAUTHORITY": "/nonexistent"}):
        with door(tmp_path, environment) as place, visit(place, "keymap", "binary") as page:
            assert page.subprotocol == "binary"
        (tmp_path / "x.sock").unlink()
        (tmp_path / "rfb.sock").unlink()
