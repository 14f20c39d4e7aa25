"""How waiting looks where no line can be written over."""

from __future__ import annotations

import io
import sys
import time

import pytest

from qconnect_web.cli.screen import REMIND_S, Screen

pytestmark = pytest.mark.unit


def test_where_no_line_can_be_written_over_it_reminds_every_20_s(monkeypatch: pytest.MonkeyPatch) -> None:
    assert REMIND_S == 20
    out = io.StringIO()
    now = [100.0]
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    screen = Screen()
    for second in range(45):
        now[0] = 100.0 + second
        screen.progress("QUEUED: waiting" if second < 44 else "STARTING: here", second)
    assert out.getvalue().splitlines() == [
        "QUEUED: waiting (0 s)",
        "QUEUED: waiting (20 s)",
        "QUEUED: waiting (40 s)",
        "STARTING: here (44 s)",
    ]
