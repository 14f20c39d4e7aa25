"""Desks for the tests of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk that nobody has used."""
    found = Desk(tmp_path)
    yield found
    found.close()


@pytest.fixture
def full_desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose only place is taken by a job that is no session: sessions wait there, and cost nothing."""
    found = Desk(tmp_path, local_max_running=1)
    stranger = found.stranger()
    yield found
    found.cancel(stranger)
    found.close()


@pytest.fixture(scope="module")
def busy_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with sessions that the tests of one module share."""
    found = Desk(tmp_path_factory.mktemp("desk"), local_max_running=8)
    yield found
    found.close()
