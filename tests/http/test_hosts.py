"""A web page whose own name was made to point to the server gets nothing: its Host is not one of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.security.raw import Raw
from tests.support.servers import JupyterServer

FOREIGN = [
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1.evil.example",
    "localhost.evil.example:{port}",
    "xn--vil-6ka.example:{port}",
    "[::ffff:a00:1]:{port}",
    "10.0.0.1:{port}",
    "0x7f.1.nip.io",
]
PLACES: dict[str, dict[str, Any]] = {
    "0.0.0.0": {"ip": "0.0.0.0"},  # noqa: S104 - the very case that is tried
    "behind a hub": {"allow_remote_access": True},  # what JupyterHub's server sets
}
ASKED = ("qconnect/", "qconnect/api/sessions", "qconnect/1.local/ws/viewer-0001", "qconnect/1.local/t/x/ws/viewer-0001")


def assert_refused(server: JupyterServer) -> None:
    """All foreign names at a page, the API and both doors of a display; the token that comes along changes nothing."""
    with Raw(server) as raw:
        for name in FOREIGN:
            for path in ASKED:
                answer = raw.ask(path, {"Host": name.format(port=server.port)})
                assert answer.status == 403, (name, path, answer)
        assert raw.ask("qconnect/").status == 200


def test_on_the_loopback_address(server: JupyterServer) -> None:
    assert_refused(server)


class Elsewhere(JupyterServer):
    """A server with settings of its own for Jupyter itself."""

    def write_config(self) -> None:
        from json import dumps, loads

        super().write_config()
        path = self.home / "config" / "jupyter_server_config.json"
        settings = loads(path.read_text())
        settings["ServerApp"] |= PLACES[self.place]
        settings["QConnect"]["allowed_hosts"] = self.names
        path.write_text(dumps(settings))

    place: str
    names: list[str]


@pytest.mark.parametrize("place", list(PLACES))
def test_where_jupyter_allows_any_name_the_sites_own_list_counts(tmp_path: Path, place: str) -> None:
    server = Elsewhere(tmp_path, prefix="/user/a/")
    server.place, server.names = place, ["Hub.example", "127.0.0.1"]
    server.start()
    try:
        assert_refused(server)
        with Raw(server) as raw:
            assert raw.ask("qconnect/", {"Host": "hub.example:8443"}).status == 200
    finally:
        server.close()
