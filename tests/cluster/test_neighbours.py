"""Another account on the same node gains nothing: not by looking, being first at the port, or old records."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.batch import Torque
from tests.cluster.cluster import Cluster
from tests.cluster.display import answers, connection, folder, opened, opened_on, written
from tests.cluster.node import Node
from tests.cluster.server import ClusterServer
from tests.support.deadline import eventually

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]
SQUATTER = """
import socket, sys
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("listening", flush=True)
while True:
    line, _ = listener.accept()
    line.settimeout(5)
    try:
        print("got", len(line.recv(65536)), flush=True)
    except OSError:
        print("got 0", flush=True)
    line.close()
"""


@contextmanager
def squatter(node: Node, port: int, log: Path) -> Iterator[None]:
    """Bob listens on this port and writes down how much he was sent."""
    argv = ["/usr/bin/python3", "-Ic", SQUATTER, str(port)]
    with log.open("w") as out:
        process = node.popen(argv, "bob", stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        eventually(lambda: "listening" in log.read_text(), 10, "bob's listener")
        yield
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.parametrize("number", [1, 51036, 4294967, 2147483647])
def test_every_job_id_gives_a_display_and_a_port(torque_server: ClusterServer, torque: Torque, number: int) -> None:
    torque_server.request("DELETE", f"qconnect/api/sessions/{number}.qc-login")  # of an earlier test
    torque.qmgr(f"set server next_job_number = {number}")
    session = opened(torque_server)
    assert session["id"] == f"{number}.qc-login"
    found = connection(torque_server, session)
    print(number, found["display"], found["port"])
    assert found["display"] == f":{number}"
    assert 20000 <= found["port"] < 30000
    torque_server.end(session["id"])


@pytest.fixture(scope="module")
def session(torque_server: ClusterServer, cluster: Cluster) -> Iterator[dict[str, Any]]:
    found = opened_on(torque_server, cluster.compute[0])
    yield found
    torque_server.end(found["id"])


def test_bob_gets_nothing_out_of_the_port(
    torque_server: ClusterServer, cluster: Cluster, session: dict[str, Any]
) -> None:
    port = connection(torque_server, session)["port"]
    for node in (cluster.compute[0], cluster.compute[1]):
        for scheme in ("http", "https"):
            url = f"{scheme}://{cluster.compute[0].address}:{port}"
            for path in ("/", "/Status", "/Info"):
                code = ["curl", "-sk", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", url + path]
                assert node.run(code, "bob", check=False).stdout in ("000", "400")
        attach = node.run(
            ["xpra", "info", f"ssl://{cluster.compute[0].address}:{port}/"], "bob", check=False, timeout=60
        )
        assert attach.returncode != 0
    assert answers(torque_server, session["id"])


def test_bob_gets_no_socket_no_window_and_no_file(
    torque_server: ClusterServer, cluster: Cluster, session: dict[str, Any]
) -> None:
    node, found = cluster.compute[0], connection(torque_server, session)
    shown = node.run(["xdpyinfo", "-display", found["display"]], "bob", check=False)
    assert shown.returncode != 0
    assert "Authorization required" in shown.stderr or "unable to open display" in shown.stderr
    listed = node.run("ss -Hxl; ss -Htln").stdout
    mine = [word for word in listed.split() if word.startswith("/") and ("qc" in word or "xpra" in word)]
    for path in mine:
        assert node.run(["curl", "-s", "-m", "3", "--unix-socket", path, "http://x/"], "bob", check=False).stdout == ""
    assert listed.count(f":{found['port']} ") == 1
    readable = (
        "find /tmp /run /dev/shm /var/tmp /home/alice -user alice \\( -readable -o -writable \\) ! -type l 2>/dev/null"
    )
    open_to_bob = node.run(readable, "bob", check=False).stdout.splitlines()
    assert [path for path in open_to_bob if not path.startswith("/tmp/.X11-unix/")] == []
    secret = folder(torque_server, session) / "client.key"
    there = f"/home/alice/{secret.relative_to(cluster.home('alice'))}"
    assert node.run(["cat", there], "bob", check=False).returncode != 0
    words = node.run("cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'", "bob").stdout
    assert "PRIVATE KEY" not in words
    assert secret.read_text().splitlines()[1] not in words


def test_being_first_at_the_computed_port_gains_nothing(
    torque_server: ClusterServer, torque: Torque, cluster: Cluster, tmp_path: Path
) -> None:
    node = cluster.compute[0]
    torque.qmgr("set server next_job_number = 30000")
    computed = 20000 + 30000 % 10000
    with squatter(node, computed, tmp_path / "bob"):
        session = opened_on(torque_server, node)
        assert session["id"].startswith("30000.")
        assert connection(torque_server, session)["port"] != computed
        torque_server.end(session["id"])
    sent = [line for line in (tmp_path / "bob").read_text().splitlines() if line.startswith("got")]
    print(f"bob, first at port {computed}, got {sent}")
    assert all(line == "got 0" for line in sent)


def test_the_record_of_an_older_run_gains_nothing(
    torque_server: ClusterServer, torque: Torque, cluster: Cluster, tmp_path: Path
) -> None:
    first = cluster.compute[0]
    session = opened_on(torque_server, first)
    place, old = folder(torque_server, session), tmp_path / "old"
    old.mkdir()
    for name in ("connection.json", "server.pem", "client.pem", "client.key", "server.key"):
        shutil.copy(place / name, old)
    before = connection(torque_server, session)
    with cluster.closed(first):
        torque.run(["qrerun", session["id"]], "root")
        record = place / "connection.json"
        eventually(lambda: record.exists() and written(record)["run"] != before["run"], 60, "the second run")
        eventually(lambda: answers(torque_server, session["id"]), 15, "its display")
    with squatter(first, before["port"], tmp_path / "bob"):
        shutil.copyfile(old / "connection.json", place / "connection.json")  # in place: owner and mode stay
        eventually(lambda: not answers(torque_server, session["id"]), 10, "the old record's refusal")
        assert not answers(torque_server, session["id"])
    sent = (tmp_path / "bob").read_text().splitlines()
    print(f"bob, where the first run was, got {sent}")
    assert sent == ["listening"], "the old address was dialled"
    torque_server.end(session["id"])
