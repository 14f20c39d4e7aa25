"""No secret of a session is found where others may look; with a batch system: tests/cluster/test_secrets.py."""

from __future__ import annotations

import json
from pathlib import Path

from tests.security.canaries import Around, Talkative, hits, texts_below, told


def test_no_secret_is_found(tmp_path: Path) -> None:
    server = Talkative(tmp_path, arguments=("--debug",))
    audit = tmp_path / "audit.jsonl"
    server.config["QConnect"] = {"client_dirs": [str(server.another_client())], "audit_file": str(audit)}
    share = tmp_path / ".local/share/qconnect"
    around = Around(share / "sessions", on_node=lambda path: path, batch=lambda _: texts_below(share / "local"))
    server.start()
    try:
        known, places = told(server, around)
    finally:
        server.close()
    places["audit"] = audit.read_text()
    assert {json.loads(line)["event"] for line in places["audit"].splitlines()} == {"start", "open", "stop", "end"}
    assert hits(known, places) == []
