"""Tables fit their terminal, whatever is in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qconnect_web.cli.screen import clock, cut, harmless, width_of
from qconnect_web.cli.tables import COLUMNS, EXPENDABLE, fit, number

pytestmark = pytest.mark.unit
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
    kept = harmless(text + "\x1b]0;owned\x07\x9b31m")
    assert not {"\x1b", "\x07", "\x9b", "\r"} & set(kept)


def test_numbers_are_numbers() -> None:
    assert sorted(["100.a", "9.a", "10.a", "4[2].a", "key"], key=number) == ["4[2].a", "9.a", "10.a", "100.a", "key"]


def test_clock() -> None:
    assert [clock(seconds) for seconds in (7, 65, 3671)] == ["7 s", "1:05", "1:01:11"]
