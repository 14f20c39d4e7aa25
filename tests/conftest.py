"""What all tests share: the cluster, and the order of the tests."""

from __future__ import annotations

import os

import pytest

from tests.support.servers import REPOSITORY

pytest_plugins = ["tests.cluster.fixtures", "tests.support.extent", "tests.support.failures", "tests.support.unit"]


@pytest.fixture(scope="session")
def browser_code() -> None:
    """The browser code as its sources are now; a copy of the package without them (tests/mutants) brings its own."""
    if (REPOSITORY / "hatch_build.py").is_file():
        from hatch_build import build_frontend

        build_frontend(REPOSITORY)


@pytest.fixture
def programs_named(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What shipped apps require is on PATH by name, for tests in which no job gets to its program."""
    folder = tmp_path_factory.mktemp("bin")
    for program in ("xterm", "tmux"):
        (folder / program).symlink_to("/bin/true")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop running in this thread from its first test on."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is not None)
