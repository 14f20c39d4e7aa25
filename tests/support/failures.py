"""What failed beside others and passed alone: written down while the tests run, told when all is over.

pytest --failures FILE …                        adds each failure to FILE, a line of JSON each
python -m tests.support.failures FIRST AGAIN    tells which tests of FIRST are not in AGAIN; fails in CI if too many
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

MOST = 2
"""So many tests may need a second run in CI; each is a fault to be found, and many are one of the change."""
TOLD = Path("tests/artefacts/reruns.txt")
LINES, WIDTH = 14, 240
"""How much of a failure is kept: its end, with the assertion and where it stands."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--failures", type=Path, metavar="FILE", help="a file to which each failure is added")


def pytest_configure(config: pytest.Config) -> None:
    if path := config.getoption("--failures"):
        config.pluginmanager.register(Recorder(path))


class Recorder:
    """Adds each failed report to the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            lines = [line[:WIDTH] for line in report.longreprtext.splitlines() if line.strip()]
            found = {"test": report.nodeid, "when": report.when, "text": "\n".join(lines[-LINES:])}
            with self.path.open("a") as file:
                file.write(json.dumps(found) + "\n")


def read(folder: Path) -> dict[str, str]:
    """The first failure of each test in the files there: {test: the end of its text}."""
    found: dict[str, str] = {}
    for line in (line for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()):
        failure = json.loads(line)
        found.setdefault(failure["test"], failure["text"])
    return found


def tell(first: Path, again: Path, told: Path = TOLD) -> int:
    """Writes down and prints the tests that passed only the second time; returns 1 when CI must not take that many."""
    lasting = read(again)
    passed = {test: text for test, text in read(first).items() if test not in lasting}
    told.parent.mkdir(exist_ok=True)
    lines = [f"== {test} failed first, and passed alone:\n{text}\n" for test, text in passed.items()]
    told.write_text("\n".join(lines))
    if not passed:
        return 0
    print(told.read_text())
    print(f"== {len(passed)} of the tests passed only when they were run once more, alone ({told})")
    return int(bool(os.environ.get("CI")) and len(passed) > MOST)


if __name__ == "__main__":
    sys.exit(tell(*map(Path, sys.argv[1:])))
