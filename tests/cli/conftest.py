"""Homes in which the command line is tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CommandLine]:
    """A command line that nobody has used."""
    found = CommandLine(tmp_path)
    yield found
    found.close()


@pytest.fixture
def full_cli(tmp_path: Path) -> Iterator[CommandLine]:
    """A command line whose only place is taken by a job that is no session: sessions wait there, and cost nothing."""
    found = CommandLine(tmp_path, local_max_running=1)
    stranger = found.stranger()
    yield found
    found.cancel(stranger)
    found.close()


@pytest.fixture(scope="module")
def busy_cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """A command line with sessions that the tests of one module share."""
    found = CommandLine(tmp_path_factory.mktemp("cli"), local_max_running=8)
    yield found
    found.close()
