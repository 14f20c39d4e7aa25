"""docs/qconnect-1.8.1.md is complete, and every test that it names is there."""

from __future__ import annotations

import re

import pytest

from qconnect_web.cli.exits import Exit
from tests.support.doc_blocks import is_test
from tests.support.servers import REPOSITORY

pytestmark = pytest.mark.unit
TEXT = (REPOSITORY / "docs/qconnect-1.8.1.md").read_text()
WANTED = {f"Q{number}" for number in range(1, 51)} | {f"B{number}" for number in range(1, 25)}


def rows() -> dict[str, list[str]]:
    """The tests of each row."""
    found = {}
    for line in TEXT.splitlines():
        if match := re.match(r"\| ([QB]\d+) \|.*\| ([^|]+) \|$", line):
            found[match[1]] = re.findall(r"`(tests/[\w/.]+::\w+)`", match[2])
    return found


def test_every_row_of_the_ancestor_has_a_test() -> None:
    found = rows()
    assert set(found) == WANTED
    assert not [row for row, tests in found.items() if not tests]


def test_every_behaviour_is_seen_on_a_cluster() -> None:
    elsewhere = [
        row
        for row, tests in rows().items()
        if row[0] == "Q" and not any(re.search("[/_]cluster[/_]", test) for test in tests)
    ]
    assert elsewhere == ["Q50"]  # how it is installed


@pytest.mark.parametrize("name", sorted({name for tests in rows().values() for name in tests}))
def test_every_test_that_is_named_exists(name: str) -> None:
    assert is_test(name)


def test_exit_statuses_are_documented_everywhere() -> None:
    text = (REPOSITORY / "docs/cli.md").read_text()
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.M)] == [status.value for status in Exit]
    assert (Exit.DONE, Exit.REFUSED, Exit.USAGE, Exit.DIED, Exit.UNKNOWN, Exit.TOOL_MISSING) == (0, 1, 2, 3, 10, 255)
