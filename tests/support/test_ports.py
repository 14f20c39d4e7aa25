"""A port of our own is kept from everybody but the server that it is for."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from tests.support.ports import own_port

pytestmark = pytest.mark.unit


def test_a_server_may_listen_and_come_back_and_nobody_else_gets_in() -> None:
    port = own_port()
    for _ in range(2):
        with socket.create_server(("127.0.0.1", port)):
            socket.create_connection(("127.0.0.1", port)).close()
        with socket.socket() as stranger, pytest.raises(OSError, match=os.strerror(errno.EADDRINUSE)):
            stranger.bind(("127.0.0.1", port))


def test_nobody_is_given_it_who_asks_for_any() -> None:
    ports = {own_port() for _ in range(200)}
    assert len(ports) == 200
    others = [socket.create_server(("127.0.0.1", 0)) for _ in range(500)]
    try:
        assert not ports & {other.getsockname()[1] for other in others}
    finally:
        for other in others:
            other.close()
