"""A form that is filled by the keyboard alone, on the cluster: what the batch system says that it was asked for."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.cluster.batch import Torque
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import settings
from tests.cluster.server import ClusterServer, server_on
from tests.e2e.desk import Desk

pytestmark = [pytest.mark.e2e, pytest.mark.cluster, pytest.mark.timeout(300)]
ASKED = {
    "Name": "by keys",
    "Queue": "interactive",
    "Cores": "2",
    "Memory": "1.5 g",
    "Walltime": "90 min",
    "Account": "p1",
    "Nodes": "2",
    "E-mail": "start-and-end",
    "Native options": {"slurm": "--nice=7", "torque": "-p 7"},
}
TOLD = {
    "slurm": [
        *("JobName=by-keys", "Partition=interactive", "Account=p1", "NumNodes=2", "CPUs/Task=2", "MinMemoryNode=768M"),
        *("TimeLimit=01:30:00", "MailType=BEGIN,END,FAIL", "Nice=7"),
    ],
    "torque": [
        *("Job_Name = by-keys", "queue = interactive", "Account_Name = p1", "Resource_List.nodes = 2:ppn=2"),
        *("Resource_List.mem = 1536mb", "Resource_List.walltime = 01:30:00", "Mail_Points = abe", "Priority = 7"),
    ],
}


@pytest.fixture(params=["slurm", "torque"])
def alices(request: pytest.FixtureRequest, cluster: Cluster, torque: Torque) -> Iterator[ClusterServer]:
    """Alice's Jupyter server on the login node, whose site lets her write native options."""
    config = {"QConnect": settings(request.param, form={"native": True})}
    path = (torque.bin,) if request.param == "torque" else ()
    server = server_on(cluster, f"form-{request.param}", config=config, path=path)
    try:
        yield server.start(120)
    finally:
        server.close()
        # a click starts what was asked for the last time
        shutil.rmtree(cluster.home("alice") / ".config/qconnect/launch", ignore_errors=True)


def test_each_value_of_a_form_filled_by_keyboard_is_what_the_batch_system_was_asked_for(
    context: BrowserContext, alices: ClusterServer, cluster: Cluster, torque: Torque
) -> None:
    system = alices.home.name.removeprefix("form-")
    page = context.new_page()
    page.goto(Desk(alices).url(""))
    page.locator('[data-app="xterm"]').focus()
    page.keyboard.press("Shift+Enter")
    form = page.get_by_role("dialog", name="XTerm", exact=True)
    expect(form.get_by_label("Queue").locator("option", has_text="interactive")).to_be_attached()
    form.get_by_text("More", exact=True).focus()
    page.keyboard.press("Enter")
    for label, value in ASKED.items():
        field = form.get_by_label(label, exact=True)
        field.focus()
        if field.evaluate("one => one.tagName") != "SELECT":
            page.keyboard.press("Control+A")
        page.keyboard.type(value[system] if isinstance(value, dict) else value)
    form.get_by_role("button", name="Start", exact=True).focus()
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer, context.expect_page():
        page.keyboard.press("Enter")
    assert answer.value.status == 201, answer.value.text()
    job = answer.value.json()["id"]
    try:
        argv = ["scontrol", "show", "job", job] if system == "slurm" else [f"{torque.bin}/qstat", "-f", job]
        told = re.sub(r"\n\t", "", cluster.login.run(argv, "alice").stdout)
        assert [line for line in TOLD[system] if line.casefold() not in told.casefold()] == [], told
    finally:
        alices.request("POST", f"qconnect/api/sessions/{job}/stop", {})
