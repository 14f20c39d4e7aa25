"""The page on installation, followed to the letter by a user of a cluster with Slurm."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.files import USERS
from tests.cluster.node import CLEAN
from tests.support.doc_blocks import blocks_in, section

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
SLURM = section("install.md", "### Slurm")
LOOK = section("install.md", "## Look whether it is right")


@pytest.fixture
def world(cluster: Cluster) -> dict[str, str]:
    """Alice's environment, with the page's settings as those of her site."""
    folder = cluster.home("alice") / "install-page"
    folder.mkdir()
    (settings,) = blocks_in(SLURM, "python")
    (folder / "jupyter_server_config.py").write_text(settings, encoding="utf-8")
    subprocess.run(["chown", "-R", f"{USERS['alice']}:{USERS['alice']}", str(folder)], check=True)
    path = f"{Path(sys.executable).parent}:{CLEAN['PATH']}"
    return {"PATH": path, "HOME": "/home/alice", "JUPYTER_CONFIG_DIR": "/home/alice/install-page"}


def test_the_commands_of_the_page_show_that_all_is_well_and_lead_to_a_session(
    cluster: Cluster, world: dict[str, str]
) -> None:
    (check,) = blocks_in(SLURM, "bash")
    seen = cluster.login.run(check, "alice", env=world, timeout=120).stdout
    assert any(node.name in seen for node in cluster.compute), seen
    assert "xpra v" in seen
    for program in ("Xvfb", "xauth", "openssl"):
        assert f"{program} is /" in seen

    doctor, start = blocks_in(LOOK, "bash")
    found = cluster.login.run(f"{doctor.strip()} --json", "alice", env=world, timeout=60, check=False)
    problems = [one for one in json.loads(found.stdout)["findings"] if one["level"] == "problem"]
    assert problems == []
    job_id, state, address = cluster.login.run(start, "alice", env=world, timeout=120).stdout.split()
    assert state == "READY"
    assert address.endswith(f"/qconnect/{job_id}/")
    cluster.login.run(["qconnect", "--stop", job_id], "alice", env=world, timeout=60)
