"""Both families of addresses on real xpra and at the door: the display answers in each, whoever sits in one of them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qconnect_web.transports.tls import LOOPBACK
from tests.support.script_run import ScriptRun, app, ask, client_context

XPRA, VNC = app(), app("xterm", kind="vnc")
TCP_IN_ONE = '"--bind-$([[ $address == *::1* ]] && echo tcp || echo ssl)=$address:$qc_port"'


@pytest.fixture
def run(tmp_path: Path) -> ScriptRun:
    return ScriptRun(tmp_path)


@contextmanager
def squatter(address: str, port: int) -> Iterator[list[bytes]]:
    """Somebody who listens there, in one family, and what he hears."""
    heard: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                caller, _ = server.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(2)
                heard.append(caller.recv(4096))

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield heard
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(10)


@pytest.mark.parametrize("address", LOOPBACK)
@pytest.mark.parametrize("seen", [True, False], ids=["seen", "in-between"])
@pytest.mark.parametrize("what", [XPRA, VNC], ids=["xpra", "vnc"])
def test_the_display_answers_in_both_families_with_a_squatter_in_either(
    run: ScriptRun, what: object, seen: bool, address: str
) -> None:
    run.by_hand(what)  # type: ignore[arg-type]  # an app
    if not seen:  # he came between our look and the start
        run.change("|| ! qc_port_taken; then", "|| true; then").change("for ((round = 1;", "for ((round = 2;")
    taken = 20000 + int(run.job.partition(".")[0]) % 10000
    with squatter(address, taken) as heard, run:
        port = run.ready(60)["port"]
        assert port != taken
        for place in LOOPBACK:
            mine, none = (client_context(run.folder, key) for key in (run.folder / "client.pem", None))
            assert ask(port, mine, place).split()[1] == b"200"
            assert ask(port, none, place) == b""
        assert heard == []


def test_a_display_that_lets_anybody_in_through_one_family_is_closed_again(run: ScriptRun) -> None:
    run.by_hand(XPRA).change("qc_listen=('[::]')", "qc_listen=(0.0.0.0 '[::1]')")
    with run.change('"--bind-ssl=$address:$qc_port"', TCP_IN_ONE):
        assert run.ended()["reason"] == "open-without-certificate"
        assert not run.text("connection.json")


def test_without_the_look_in_both_families_it_would_stay_open(run: ScriptRun) -> None:
    run.by_hand(XPRA).change("qc_listen=('[::]')", "qc_listen=(0.0.0.0 '[::1]')")
    with run.change('"--bind-ssl=$address:$qc_port"', TCP_IN_ONE).change("&& qc_loopback+=('[::1]')", "&& :"):
        assert ask(run.ready()["port"], None, "::1").startswith(b"HTTP/1.0 200")


def test_a_node_without_ipv6_listens_in_the_other_family(run: ScriptRun) -> None:
    with run.by_hand(XPRA).change("/proc/net/if_inet6", "/proc/net/no_such_file"):
        port = run.ready()["port"]
        assert ask(port, client_context(run.folder, run.folder / "client.pem"))
        assert ask(port, client_context(run.folder, run.folder / "client.pem"), "::1") == b""


def test_what_answers_at_the_other_loopback_address_is_enough(run: ScriptRun) -> None:
    """As on a node that has none of IPv4."""
    with (
        run.by_hand(XPRA)
        .change("qc_loopback=(127.0.0.1)", "qc_loopback=(127.0.0.2)")
        .change("qc_listen=('[::]')", "qc_listen=('[::1]')")
    ):
        assert ask(run.ready()["port"], client_context(run.folder, run.folder / "client.pem"), "::1")
