"""A VNC desktop on a compute node: in the browser and in a viewer of one's own at once, by each way to the node."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.cli.command_line import finish
from tests.cli.xscreen import PIXEL, RED, UserScreen
from tests.cluster.batch import Torque
from tests.cluster.cluster import Cluster
from tests.cluster.command_line import ClusterCommandLine
from tests.cluster.conftest import settings
from tests.cluster.display import connection
from tests.cluster.files import USERS
from tests.cluster.leftovers import left_on, listening
from tests.cluster.server import server_on
from tests.e2e.desk import Desk, make_desktop
from tests.e2e.test_vnc import pixels
from tests.support.deadline import eventually
from tests.support.servers import REPOSITORY

pytestmark = [pytest.mark.e2e, pytest.mark.cluster, pytest.mark.timeout(180)]


@pytest.fixture(params=["slurm-tls", "torque-ssh"])
def cli(request: pytest.FixtureRequest, cluster: Cluster, torque: Torque) -> Iterator[ClusterCommandLine]:
    """Alice, whose desktop is red, at the command line and with a Jupyter server on the login node."""
    scheduler, _, way = request.param.partition("-")
    home = cluster.home("alice")
    make_desktop(home, RED)
    for path in (home / ".vnc", home / ".vnc/xstartup"):
        shutil.chown(path, USERS["alice"], USERS["alice"])
    config = {"QConnect": settings(scheduler, transport=way)}
    path = (torque.bin,) if scheduler == "torque" else ()
    server = server_on(cluster, f"vnc-{request.param}", config=config, path=path)
    found = ClusterCommandLine(cluster, server)
    try:
        server.start(120)
        yield found
    finally:
        server.close()  # first: its login on the node is a process, too
        found.close()
        shutil.rmtree(home / ".vnc")


@pytest.fixture
def screen(cluster: Cluster) -> Iterator[UserScreen]:
    """Alice's screen, at the login node."""
    found = UserScreen.on(cluster.login, "alice")
    yield found
    found.close()


def test_a_desktop_on_a_node_is_seen_typed_into_and_reached_by_nobody_else(
    context: BrowserContext, cli: ClusterCommandLine, screen: UserScreen
) -> None:
    session = cli.ready("--vnc")
    assert session["name"] == "int_vnc"
    node = cli.cluster.node(session["job"]["node"])

    page = Desk(cli.server).view(context, session)
    eventually(lambda: pixels(page)["root"] == [PIXEL >> 16, 0, 0], 10, "the root window's colour")
    page.keyboard.type(f"hostname >~/{cli.server.home.name}/typed\n", delay=10)
    typed = cli.server.home / "typed"
    eventually(lambda: typed.exists() and typed.read_text() == f"{node.name}\n", 10, "the name of the node")

    child = cli.spawn("--vnc", DISPLAY=screen.display)
    child.expect_exact(f"Connecting to session {session['id']}")
    assert screen.settled_red() > 100_000
    eventually(lambda: pixels(page)["root"] == [PIXEL >> 16, 0, 0], 10, "the picture in the browser, as before")
    page.screenshot(path=REPOSITORY / f"tests/artefacts/{cli.server.home.name}.png")
    published = connection(cli.server, session)
    assert "/rfb.sock" in node.run(["ss", "-Hxl"]).stdout
    assert listening(node, "alice") == ({published["port"]} if "tls" in cli.server.home.name else set())
    child.sendintr()
    status, text = finish(child)
    assert (status, f"qconnect {session['id']}" in text) == (0, True), text
    screen.await_red(0)

    page.keyboard.type("exit\n", delay=10)
    expect(page.get_by_role("heading", name="Desktop (VNC) has ended")).to_be_visible(timeout=20_000)
    assert cli.await_state(session["id"], "ENDED")["exit_status"] == 0
    page.close()
    eventually(lambda: left_on(node, "alice") == [], 5, f"nothing left on {node.name}: {left_on(node, 'alice')}")
