"""What keeps us from a display, and clocks that differ: each with the remedy that is right for it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from traitlets.config import Config

from qconnect_web.config import QConnect
from qconnect_web.doctor import folder, node
from qconnect_web.doctor.findings import Level
from qconnect_web.doctor.reach import in_the_way
from qconnect_web.errors import IdentityMismatch, NotReady, QConnectError, Unreachable
from qconnect_web.values.session import Connection

pytestmark = pytest.mark.unit
BY_PORT = Connection("r", "7", "node5", 21007, None, ":7", "3.1", "0" * 64, 0.0)
BY_SOCKET = replace(BY_PORT, port=None, socket="/run/x.sock")


@pytest.mark.parametrize(
    ("error", "connection", "settings", "found", "advice"),
    [
        (Unreachable("Late.", reason="timeout"), BY_PORT, {}, "node5, port 21007: what", "ports 20000 to 29999"),
        (Unreachable("Late.", reason="timeout"), BY_PORT, {"port_base": 15000, "port_range": 9}, "", "15000 to 15008"),
        (Unreachable("Refused."), BY_PORT, {}, "Refused.", "the nodes' firewall"),
        (NotReady("It has ended."), BY_PORT, {}, "It has ended.", "a session's own log"),
        (Unreachable("No key."), BY_SOCKET, {"transport": "ssh"}, "No key.", "`ssh node5 true`"),
        (Unreachable("Gone."), BY_SOCKET, {}, "Gone.", "a session's own log"),
        (IdentityMismatch("Somebody."), BY_PORT, {}, "Somebody.", "inspects TLS"),
    ],
)
def test_what_is_in_the_way_is_named_with_its_own_remedy(
    error: QConnectError, connection: Connection, settings: dict[str, Any], found: str, advice: str
) -> None:
    finding = in_the_way(error, connection, QConnect(config=Config({"QConnect": settings})))
    assert finding.level is Level.PROBLEM
    assert found in finding.found
    assert advice in finding.advice


@pytest.mark.parametrize(("ahead", "word"), [(3600.0, "ahead of"), (-3600.0, "behind")])
def test_a_nodes_clock_that_differs_is_named(ahead: float, word: str) -> None:
    finding = node.clock(replace(BY_PORT, time=time.time() + ahead))
    assert (finding.level, f"3600 s {word} this machine" in finding.found) == (Level.WARNING, True), finding
    assert "chrony" in finding.advice
    assert node.clock(replace(BY_PORT, time=time.time())).level is Level.OK


@pytest.mark.parametrize(("skew", "word"), [(90.0, "90 s ahead"), (-90.0, "90 s behind")])
def test_a_file_servers_clock_that_differs_is_named(skew: float, word: str) -> None:
    (finding,) = folder._clock(skew)
    assert (finding.level, word in finding.found, "chrony" in finding.advice) == (Level.WARNING, True, True)
    assert folder._clock(0.1)[0].level is Level.OK
