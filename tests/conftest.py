"""What all tests share: the cluster, and the order of the tests."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.cluster.fixtures", "tests.support.extent", "tests.support.failures", "tests.support.unit"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop running in this thread from its first test on."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is not None)
