"""`pytest --unit`: the tests marked `unit`, where nothing is that only Debian's packages bring.

On a machine that has them all, what the tests must not need is taken out of sight, so that a test in need of it fails
here as it would elsewhere. A test that would be skipped fails as well: nobody would notice.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

PACKAGES = Path(__file__).parents[1] / "system-packages.sh"
EVERYWHERE = {"git", "util-linux", "perl", "procps"}
"""Of those packages, what every machine has on which anybody works."""
FOR_ROOT = "only root"
"""How the reason of a test begins that may be skipped: nobody is asked to be root."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--unit", action="store_true", help="the tests marked unit, without what only Debian brings")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--unit"):
        config.pluginmanager.register(Bare())


class Bare:
    """A run in which the machine is as bare as any."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="qc-unit-")
        self._before = os.environ["PATH"]
        own = str(Path(sys.executable).parent)  # a Python that is called by a link elsewhere does not know its packages
        os.environ["PATH"] = f"{own}:{self._folder.name}"
        hidden = programs(PACKAGES.read_text())
        for path in reversed([path for place in self._before.split(":") for path in sorted(Path(place).glob("*"))]):
            if not {path.name, path.resolve().name} & hidden:
                link = Path(self._folder.name, path.name)
                link.unlink(missing_ok=True)
                link.symlink_to(path)

    def pytest_unconfigure(self) -> None:
        os.environ["PATH"] = self._before
        self._folder.cleanup()

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Modules that mark nothing are not even imported: that takes longer than their tests."""
        named = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
        return True if named and "mark.unit" not in collection_path.read_text() else None

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        others = [item for item in items if not item.get_closest_marker("unit")]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item.get_closest_marker("unit")]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            if not reason.removeprefix("Skipped: ").startswith(FOR_ROOT):
                report.outcome, report.longrepr = "failed", f"A unit test must run everywhere. {reason}"
        return report


def programs(script: str) -> set[str]:
    """The names of the programs of the Debian packages that the script installs; none where there is no dpkg."""
    packages = set(re.findall(r"[a-z0-9][a-z0-9+.-]+", "".join(re.findall(r"wanted\+?=\(([^)]*)\)", script))))
    try:
        argv = ["/usr/bin/dpkg-query", "-L", *sorted(packages - EVERYWHERE)]
        listed = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False).stdout
    except FileNotFoundError:
        return set()
    return {Path(line).name for line in listed.splitlines() if Path(line).parent.name in ("bin", "sbin")}
