"""A batch system that takes its time with a submission: whoever waits gets what was asked for, from either page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.batch.system import BatchSystem, server_of
from tests.e2e.desk import Desk
from tests.e2e.test_lab import dialog, open_lab, tile, wait_at_viewer
from tests.support.servers import JupyterServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
QSUB_S = 35
"""Within the server's own limit for a submission, and longer than any page waits for an answer to a question."""


@pytest.fixture
def slow(tmp_path: Path, lab_config: dict[str, Any]) -> Iterator[JupyterServer]:
    """A JupyterLab on a TORQUE whose `qsub` takes long, and whose jobs then wait."""
    system = BatchSystem(tmp_path / "batch", "torque")
    system.pause()
    system.fault("qsub", f"sleep {QSUB_S}")
    server = server_of(tmp_path, system)
    server.module, server.config = "jupyterlab", {**lab_config, **server.config}
    try:
        yield server.start()
    finally:
        server.close()


def test_a_qsub_that_takes_long_ends_in_an_opened_session_on_both_pages(
    slow: JupyterServer, context: BrowserContext
) -> None:
    lab, home = context.new_page(), context.new_page()
    open_lab(lab, f"{slow.url}lab?reset&token={slow.token}")
    home.goto(Desk(slow).url(""))
    lab.bring_to_front()
    with context.expect_page() as from_lab:
        tile(lab).click()
    home.bring_to_front()
    with context.expect_page() as from_home:
        home.locator('[data-app="xterm"]').click()
    opened = [from_lab.value, from_home.value]
    for tab in opened:
        expect(tab.get_by_role("status")).to_have_text("Starting XTerm…")
    ids = [wait_at_viewer(tab, timeout=(QSUB_S + 30) * 1000) for tab in opened]
    assert sorted(ids) == sorted(session["id"] for session in slow.sessions())
    assert len(set(ids)) == 2
    for tab in opened:
        expect(tab.get_by_text("Waiting in the queue").first).to_be_visible(timeout=20_000)
    expect(dialog(lab)).to_have_count(0)
    expect(home.locator(".jp-qconnect-session")).to_have_count(2, timeout=20_000)
    expect(home.get_by_role("alert")).to_be_hidden()
