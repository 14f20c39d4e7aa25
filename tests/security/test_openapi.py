"""The API does what its description says, whatever it is asked: Schemathesis makes the requests up."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from qconnect_web.api.installation import OPENAPI
from tests.support.extent import LONG
from tests.support.servers import JupyterServer

EFFORT = ["--max-time", "540"] if LONG else ["--max-examples", "8"]
"""By the clock, or so many requests for each operation: on a busy machine a short time may pass with a single one."""
CASES = 5000 if LONG else 100
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "ignored_auth",
    "use_after_free",
)
KNOWN = """
[[operations]]
include-path-regex = "/(log|script)$"
parameters = {{ jobid = "{job}" }}
"""
"""Made-up job ids find no log: these two are asked for the one that is there."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JupyterServer]:
    """A server of its own: sessions are started, stopped and forgotten here."""
    settings = {"QConnect": {"max_sessions": 2, "max_starts_per_minute": 0}}
    server = JupyterServer(tmp_path, config=settings).start()
    yield server
    server.close()


@pytest.mark.skipif(find_spec("schemathesis") is None, reason="Schemathesis wants Python 3.11 or later")
@pytest.mark.timeout(700)
def test_the_api_is_as_described(server: JupyterServer, tmp_path: Path) -> None:
    job_id = server.launch()["id"]
    server.wait_for(job_id, "READY")
    config = tmp_path / "schemathesis.toml"
    config.write_text(KNOWN.format(job=job_id))
    argv = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(OPENAPI)]
    argv += ["--url", server.url.rstrip("/"), "--header", f"Authorization: token {server.token}", "--no-color"]
    argv += ["--checks", ",".join(CHECKS), *EFFORT, "--seed", "1", "--suppress-health-check", "all"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=650, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    found = re.search(r"(\d+) generated", done.stdout)
    assert found, done.stdout[-3000:]
    print(found[0])
    assert int(found[1]) >= CASES, done.stdout[-3000:]
