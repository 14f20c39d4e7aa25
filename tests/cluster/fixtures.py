"""The cluster, once per test run, for whichever test asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.cluster.world import Cluster, impossible


def bring_up() -> Iterator[Cluster]:
    """The cluster; where none can be made, a skip with the reason, and a failure in CI."""
    if reason := impossible():
        if os.environ.get("CI"):
            pytest.fail(f"no cluster in CI: {reason}")
        pytest.skip(reason)
    cluster = Cluster()
    try:
        yield cluster.up()
    finally:
        cluster.down()


cluster = pytest.fixture(scope="session", name="cluster")(bring_up)
