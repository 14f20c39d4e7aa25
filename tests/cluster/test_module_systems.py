"""xpra and a program as modules of Lmod and of Environment Modules, both from Debian's packages, on a real node."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from qconnect_web.job_script import render_by_hand
from qconnect_web.values.job import JobSpec
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import settings
from tests.cluster.display import connection, opened, written
from tests.cluster.node import Node
from tests.cluster.server import ClusterServer, server_on
from tests.support.deadline import eventually
from tests.support.script_run import app

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
FETCHED = Path("/var/cache/qconnect-modules")
LOADS = "#%Module1.0\nprepend-path PATH /opt/{name}/bin\nsetenv {variable} loaded\n"
TOOL = '#!/bin/sh\necho "$TOOL $XPRA_MODULE" >~/told.tmp && mv ~/told.tmp ~/told; exec xterm\n'
APP = "title: Tool\ndescription: A program of the site\nsetup: module load tool\ncommand: [sitetool]\n"
MODULES = {"xpra": "XPRA_MODULE", "tool": "TOOL"}


def put(node: Node, path: str, text: str, mode: str = "644") -> None:
    node.run(f"install -D -m {mode} /dev/stdin {path}", input=text)


@pytest.fixture(scope="module", params=["lmod", "environment-modules"])
def node(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Node]:
    """The second node with this system of modules, and xpra and a program in places that only it knows."""
    packages = list((FETCHED / request.param).glob("*.deb"))
    if not packages:
        assert not os.environ.get("CI"), f"{request.param} was not fetched"
        pytest.skip(f"{request.param} was not fetched (tests/system-packages.sh does)")
    node = cluster.compute[1]
    for package in packages:
        shutil.copy(package, node.tmp)
    node.run("for package in /tmp/*.deb; do dpkg-deb -x $package /; done")
    for name, variable in MODULES.items():
        put(node, f"/opt/modules/{name}/1", LOADS.format(name=name, variable=variable))
    for places in ("lmod", "environment-modules"):
        node.run(f"[ ! -e /etc/{places}/modulespath ] || echo /opt/modules >>/etc/{places}/modulespath")
    put(node, "/opt/tool/bin/sitetool", TOOL, "755")
    node.run("mkdir -p /opt/xpra/bin && mv /usr/bin/xpra /opt/xpra/bin/")
    try:
        yield node
    finally:
        cluster.power_off(node)
        cluster.power_on(node)
        cluster.wait_idle(node)


@pytest.fixture(scope="module")
def server(cluster: Cluster, node: Node, request: pytest.FixtureRequest) -> Iterator[ClusterServer]:
    config = settings("slurm", node_setup="module load xpra", apps_dirs=["/home/alice/modules/apps"])
    server = server_on(cluster, "modules", config={"QConnect": config})
    apps = server.home / "apps"
    apps.mkdir(exist_ok=True)
    (apps / "tool.yaml").write_text(APP, encoding="utf-8")
    try:
        yield server.start(120)
    finally:
        server.close()


def told(cluster: Cluster) -> str:
    """What the program found in its environment."""
    path = cluster.home("alice") / "told"
    eventually(path.exists, 30, "the program's word")
    text = path.read_text(encoding="utf-8")
    path.unlink()
    return text


def test_a_job_of_slurm_has_xpra_and_its_program_as_modules(server: ClusterServer, node: Node) -> None:
    with server.cluster.closed(server.cluster.other(node)):
        session = opened(server, "tool")
    try:
        assert connection(server, session)["xpra"] == "3.1.3"
        assert told(server.cluster) == "loaded \n", "the program has its own module, and not xpra's"
    finally:
        server.end(session["id"])


WAYS = {
    "as-installed": "true",
    "a-file-of-the-sites-own": "cd /etc/profile.d && mv lmod.sh zz-site.sh || mv modules.sh zz-site.sh",
    "bash-env": "mkdir -p /opt/site && mv /etc/profile.d/zz-site.sh /opt/site/init.sh",
}
"""Where the site defines `module`, one after the other: each begins where the one before it ended."""


@pytest.mark.parametrize("way", WAYS)
def test_a_job_without_a_login_shell_has_them_too(cluster: Cluster, node: Node, way: str) -> None:
    """As the `local` scheduler's, or one whose batch system reads no profile."""
    node.run(f"({WAYS[way]}) 2>/dev/null")
    text = render_by_hand(app("sitetool", setup="module load tool"), JobSpec(name="tool"))
    text = text.replace("qc_node_setup=''", "qc_node_setup='module load xpra'")
    node.run("cat >~/tool.sh; chmod 700 ~/tool.sh; rm -rf .local/share/qconnect/sessions/job-*", "alice", input=text)
    env = {"PBS_JOBID": "1.hand"} | ({"BASH_ENV": "/opt/site/init.sh"} if way == "bash-env" else {})
    session = cluster.home("alice") / ".local/share/qconnect/sessions/job-1.hand"
    with node.popen(["./tool.sh"], "alice", env) as process:
        try:
            eventually(lambda: list(session.glob("connection.json")) or list(session.glob("ended.json")), 60, "a word")
            assert written(session / "connection.json")["xpra"] == "3.1.3"
            assert told(cluster) == "loaded \n"
        finally:
            process.terminate()
    eventually(lambda: not node.processes("alice"), 20, "the end of all")
