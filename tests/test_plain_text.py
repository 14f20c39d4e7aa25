"""Text from elsewhere acts on no log, terminal or page: one rule, and every way there goes by it."""

from __future__ import annotations

import logging

import pytest
from traitlets.config import Config

from qconnect_web.cli.screen import Painted, Screen
from qconnect_web.clients import xpra
from qconnect_web.config import QConnect
from qconnect_web.pages.handlers import templates
from qconnect_web.plain_text import PLAIN, escaped, shown
from qconnect_web.schedulers import follow_up
from qconnect_web.sessions.problems import Problems

pytestmark = pytest.mark.unit
ACTS = "a\x1b[2J\x9b\x07\u202eb\u2066\u2028\ud800"
PLAINLY = r"a\x1b[2J\x9b\x07\u202eb\u2066\u2028\ud800"


def test_one_line_is_one_and_several_stay_several() -> None:
    assert escaped(f"{ACTS}\n\té") == rf"{PLAINLY}\n\té"
    assert shown(f"{ACTS}\n\té\r") == f"{PLAINLY}\n\té\\r"


def test_what_this_package_logs_is_plain_and_others_lines_are_theirs(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("some.application")
    problems = Problems(QConnect(config=Config(), log=log).log)
    problems.begin("scheduler", f"It says: {ACTS}\n")
    log.warning("a table\nof somebody else")
    assert caplog.messages == [rf"It says: {PLAINLY}\n", "a table\nof somebody else"]


@pytest.mark.parametrize("log", [follow_up.log, xpra.log])
def test_loggers_of_modules_are_plain(log: logging.Logger) -> None:
    assert PLAIN in log.filters


def test_a_page_shows_it_written_out() -> None:
    session = {"title": ACTS, "id": "17.head", "url": "/x", "reason": ACTS}
    text = templates.get_template("unknown.html").render(base_url="/", static="/s/", sessions=[session])
    assert text.count(PLAINLY) == 2
    assert not [one for one in text if one not in "\n\t" and not one.isprintable()]


def test_a_terminal_is_told_it_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    screen.fancy = True
    screen.print(ACTS)
    screen.note(ACTS)
    screen.progress(ACTS, 1)
    told = capsys.readouterr()
    assert told.out == f"{PLAINLY}\n"
    assert told.err == f"{PLAINLY}\n{PLAINLY} (1 s)\n"
    screen.print(Painted("\x1b[32mREADY\x1b[0m"))
    screen.exact("#\x07 a script in a pipe")
    assert capsys.readouterr().out == "\x1b[32mREADY\x1b[0m\n#\x07 a script in a pipe\n"
