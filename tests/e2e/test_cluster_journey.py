"""The first journey on a cluster: Jupyter on the login node, the program on a compute node, per system and way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from qconnect_web.config import QConnect
from tests.cluster.batch import Torque
from tests.cluster.cluster import Cluster
from tests.cluster.leftovers import left_on
from tests.cluster.server import ClusterServer, server_on
from tests.e2e.painted import events, wait_painted
from tests.e2e.test_journey import back, click_tile, prove_typing, type_line
from tests.support.deadline import eventually
from tests.support.faults import FaultProxy
from tests.support.servers import REPOSITORY

pytestmark = [pytest.mark.e2e, pytest.mark.cluster, pytest.mark.timeout(300)]
WAYS = [name for name in ("tls", "ssh") if name in QConnect.transport.values]


@pytest.fixture(params=["torque", "slurm"])
def scheduler(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=WAYS)
def lab(
    request: pytest.FixtureRequest, scheduler: str, cluster: Cluster, torque: Torque, lab_config: dict[str, Any]
) -> Iterator[ClusterServer]:
    """Alice's JupyterLab on the login node."""
    settings = {"scheduler": scheduler, "transport": request.param, "max_questions_per_minute": 120}
    name = f"lab-{scheduler}-{request.param}"
    config = {**lab_config, "QConnect": settings}
    config["LabApp"] = {**config["LabApp"], "extra_labextensions_path": [f"/home/alice/{name}/labextensions"]}
    server = server_on(cluster, name, module="jupyterlab", config=config, path=(torque.bin,))
    (server.home / "labextensions").mkdir()
    (server.home / "labextensions/qconnect-web").symlink_to(REPOSITORY / "qconnect_web/labextension")
    try:
        yield server.start(120)
    finally:
        server.close()


@pytest.fixture
def network(lab: ClusterServer) -> Iterator[FaultProxy]:
    proxy = FaultProxy(lab.port)
    yield proxy
    proxy.close()


def test_the_first_journey_on_a_compute_node(
    context: BrowserContext, lab: ClusterServer, network: FaultProxy, cluster: Cluster
) -> None:
    home = cluster.home("alice")
    page = click_tile(context, lab, network)
    wait_painted(page, timeout=60)
    name = f"typed-{lab.home.name}"
    prove_typing(page, home, name)
    type_line(page, f"hostname > ~/{name}")
    session = lab.session(page.url.rstrip("/").rpartition("/")[2])
    node = cluster.node(session["job"]["node"])
    assert node in cluster.compute
    eventually(lambda: (home / name).read_text() == f"{node.name}\n", 10, "the name of the node")
    assert any("xterm" in command for command in node.processes("alice").values())
    address = page.url
    page.close()

    page = context.new_page()
    page.goto(address)
    wait_painted(page)
    count = len(events(page, "painted"))
    network.cut()
    try:
        eventually(lambda: len(events(page, "painted")) > count and back(page), 30, "the picture after the cut")
    except AssertionError as error:
        raise AssertionError(f"{error}; {page.evaluate('window.qconnect.log')}; {lab.log[-1500:]}") from None
    prove_typing(page, home, f"cut-{lab.home.name}")

    page.bring_to_front()
    type_line(page, "exit")
    expect(page.get_by_text("ended", exact=False).first).to_be_visible(timeout=20000)
    assert lab.wait_for(session["id"], "ENDED")["exit_status"] == 0
    page.close()
    eventually(lambda: left_on(node, "alice") == [], 5, f"nothing left on {node.name}: {left_on(node, 'alice')}")
