"""No secret of a session is found where others may look; with a batch system: tests/cluster/test_secrets.py."""

from __future__ import annotations

from pathlib import Path

from tests.security.canaries import Around, Talkative, hits, texts_below, told


def test_no_secret_is_found(tmp_path: Path) -> None:
    server = Talkative(tmp_path, arguments=("--debug",))
    server.config["QConnect"] = {"client_dirs": [str(server.another_client())]}
    share = tmp_path / ".local/share/qconnect"
    around = Around(share / "sessions", on_node=lambda path: path, batch=lambda _: texts_below(share / "local"))
    server.start()
    try:
        known, places = told(server, around)
    finally:
        server.close()
    assert hits(known, places) == []
