"""Tables fit their terminal, whatever is in them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qconnect_web.cli.screen import clock, cut, width_of
from qconnect_web.cli.tables import COLUMNS, EXPENDABLE, fit, number
from qconnect_web.plain_text import shown

pytestmark = pytest.mark.unit
TURNING = {"\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
"""What turns the direction of writing (UAX 9)."""
ROW = {
    "Job_ID": "1234.torque.example.org",
    "Job_Name": "a long name for a session",
    "Job_Type": "tmux",
    "Queue": "interactive",
    "Node": "node0123",
    "State": "READY",
    "Left": "07:59:12",
}


def test_nothing_is_cut_where_there_is_room() -> None:
    head, row = fit(COLUMNS, [ROW], EXPENDABLE, "Job_Name", None)
    assert head.split() == list(COLUMNS)
    assert all(value in row for value in ROW.values())


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_every_line_fits(width: int) -> None:
    for line in fit(COLUMNS, [ROW, {**ROW, "Job_Name": "漢字" * 20}], EXPENDABLE, "Job_Name", width):
        assert width_of(line) <= width
    if width >= 40:
        assert "1234.torque.example.org" in fit(COLUMNS, [ROW], EXPENDABLE, "Job_Name", width)[1]
        assert "READY" in fit(COLUMNS, [ROW], EXPENDABLE, "Job_Name", width)[1]


@given(st.text(max_size=50), st.integers(1, 60))
def test_cutting_never_exceeds(text: str, width: int) -> None:
    assert width_of(cut(text, width)) <= width


@given(st.text(max_size=50))
def test_no_terminal_obeys_a_name(text: str) -> None:
    name = text + "\x1b]0;owned\x07\x9b31m\u202e\u2066\r"
    for kept in (*fit(COLUMNS, [dict.fromkeys(COLUMNS, name)], EXPENDABLE, "Job_Name", None), shown(name)):
        assert not [one for one in kept if one not in "\n\t" and unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp")]
        assert not {
            "\u061c",
            "\u200e",
            "\u200f",
            *map(chr, range(0x202A, 0x202F)),
            *map(chr, range(0x2066, 0x206A)),
        } & set(kept)


def test_numbers_are_numbers() -> None:
    assert sorted(["100.a", "9.a", "10.a", "4[2].a", "key"], key=number) == ["4[2].a", "9.a", "10.a", "100.a", "key"]


def test_clock() -> None:
    assert [clock(seconds) for seconds in (7, 65, 3671)] == ["7 s", "1:05", "1:01:11"]
