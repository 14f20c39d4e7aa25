"""The cluster, once per test run, for whichever test asks for it, and the choice of batch systems."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.cluster.batch import Torque
from tests.cluster.cluster import Cluster, impossible

SCHEDULERS = ("local", "slurm", "torque", "openpbs")


def pytest_addoption(parser: pytest.Parser) -> None:
    help_text = "which batch systems the scheduler suite meets: a real one on PATH, or else the test cluster's"
    parser.addoption("--scheduler", action="append", choices=SCHEDULERS, help=help_text)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "scheduler_name" in metafunc.fixturenames:
        names = metafunc.config.getoption("--scheduler") or SCHEDULERS[:3]
        marks = {"local": ()}
        values = [pytest.param(name, marks=marks.get(name, pytest.mark.cluster)) for name in names]
        metafunc.parametrize("scheduler_name", values, scope="module")


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


@pytest.fixture(scope="session")
def torque(cluster: Cluster) -> Iterator[Torque]:
    """TORQUE's commands and server on the cluster."""
    torque = Torque(cluster).start()
    yield torque
    torque.stop()
