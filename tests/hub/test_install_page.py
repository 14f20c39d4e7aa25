"""What the page on installation has an ordinary user try, on a machine on which it was followed to the letter."""

from __future__ import annotations

import json

import pytest

from tests.cluster.cluster import Cluster
from tests.hub.hub import Hub
from tests.support.doc_blocks import blocks_in, section

pytestmark = [pytest.mark.e2e, pytest.mark.cluster, pytest.mark.timeout(300)]
PLAIN = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
"""What a shell of alice's has: nothing of the environment in which it is installed."""


def test_the_commands_of_the_page_show_that_all_is_well_and_lead_to_a_session(cluster: Cluster, hub: Hub) -> None:
    (check,) = blocks_in(section("install.md", "### Slurm"), "bash")
    seen = cluster.login.run(check, "alice", env=PLAIN, timeout=120).stdout
    assert any(node.name in seen for node in cluster.compute), seen
    assert "xpra v" in seen
    for program in ("Xvfb", "xauth", "openssl"):
        assert f"{program} is /" in seen

    doctor, start, _ = blocks_in(section("install.md", "## Look whether it is right"), "bash")
    found = cluster.login.run(f"{doctor.strip()} --json", "alice", env=PLAIN, timeout=60, check=False)
    findings = json.loads(found.stdout)["findings"]
    assert [one for one in findings if one["level"] == "problem"] == []
    assert "slurm. The site's settings say so." in [one["found"] for one in findings if one["check"] == "batch system"]
    job_id, state, address = cluster.login.run(start, "alice", env=PLAIN, timeout=120).stdout.split()
    assert state == "READY"
    assert address.endswith(f"/qconnect/{job_id}/")
    cluster.login.run(["qconnect", "--stop", job_id], "alice", env=PLAIN, timeout=60)


def test_the_doctor_behind_the_hub_finds_no_problem_and_knows_the_hub(hub: Hub) -> None:
    hub.start_server("alice")
    findings = hub.ask("alice", "GET", f"doctor?page={hub.origin}")["findings"]
    assert [one for one in findings if one["level"] == "problem"] == []
    said = [one["found"] for one in findings if one["check"] == "front"]
    assert said[0] == "This server belongs to a JupyterHub, at /user/alice/."
    assert "comes through" in said[1]
