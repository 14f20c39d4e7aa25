"""What the home page shows of a batch system: its queues, with their limits and what is free in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.batch.system import BatchSystem, server_of
from tests.e2e.desk import Desk
from tests.e2e.test_home import ARTEFACTS, RULES
from tests.support.recordings import TORQUE, recorded

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture
def torque(tmp_path: Path) -> BatchSystem:
    """A TORQUE with the recorded queues and nodes, whose jobs wait."""
    system = BatchSystem(tmp_path / "batch", "torque")
    system.pause()
    for name, case in (("queues", "qstat-Qf"), ("nodes", "pbsnodes-x"), ("server", "qstat-B-f")):
        (system.root / name).write_text(recorded(TORQUE, case).out)
    shown = 'case "$*" in *-Q*) cat "$QC_BATCH/queues"; exit ;; *-B*) cat "$QC_BATCH/server"; exit ;; esac'
    system.fault("qstat", shown)
    system.fault("pbsnodes", 'cat "$QC_BATCH/nodes"; exit')
    return system


@pytest.fixture
def home(tmp_path: Path, torque: BatchSystem, context: BrowserContext) -> Iterator[Page]:
    server = server_of(tmp_path, torque, QUERY_TIMEOUT=1.0, PENDING_INTERVAL=1.0, MAX_INTERVAL=1.0, questions=1000)
    server.start()
    page = context.new_page()
    page.goto(Desk(server).url(""))
    expect(page.locator("[data-app]").first).to_be_visible()
    yield page
    server.close()


def test_queues_with_their_limits_and_what_is_free(home: Page, torque: BatchSystem) -> None:
    assert not torque.calls("pbsnodes"), "nobody asked for them yet"
    home.get_by_text("Queues", exact=True).click()
    expect(home.get_by_text("Batch system:")).to_contain_text("Batch system: torque.")
    row = home.get_by_role("row", name="interactive")
    expect(row).to_contain_text("12:00 h")
    expect(row).to_contain_text("up to 3")
    expect(row).to_contain_text("23 GB")
    expect(home.get_by_role("row", name="closed")).to_contain_text("takes no jobs now")
    expect(home.get_by_role("row", name="batch (default)")).to_be_visible()
    problems = Axe().run(home, options={"runOnly": RULES["runOnly"]}).response["violations"]
    assert not problems, problems
    ARTEFACTS.mkdir(exist_ok=True)
    home.get_by_role("table").scroll_into_view_if_needed()
    home.screenshot(path=ARTEFACTS / "queues.png")
    home.set_viewport_size({"width": 360, "height": 700})
    home.emulate_media(color_scheme="dark")
    home.screenshot(path=ARTEFACTS / "queues-narrow-dark.png", full_page=True)
    assert home.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "the page itself does not scroll"


def test_limits_and_refusals_of_the_batch_system_stand_at_their_fields(home: Page, torque: BatchSystem) -> None:
    home.get_by_role("button", name="XTerm: options").click()
    form = home.get_by_role("dialog", name="XTerm", exact=True)
    expect(form.get_by_label("Queue").locator("option", has_text="closed")).to_be_disabled()
    form.get_by_label("Queue").select_option("interactive")
    form.get_by_label("Walltime").fill("13h")
    walltime, account = (form.locator(f"[data-field={name}] [role=alert]") for name in ("walltime", "account"))
    expect(walltime).to_have_text("Ask for 12:00:00 or less: queue interactive.")
    form.get_by_role("button", name="Start", exact=True).click()
    assert not torque.calls("qsub"), "what the queue cannot give was not asked for"
    form.get_by_label("Walltime").fill("2h")
    expect(walltime).to_be_empty()
    for words, field, value in (
        ("Invalid account", "account", "p9"),
        ("Job exceeds queue resource limits MSG=cannot locate feasible nodes", "gpus", "1"),
    ):
        torque.fault("qsub", f'echo "qsub: submit error ({words})" >&2; exit 190')
        form.locator(f"[data-field={field}] input").fill(value)
        form.get_by_role("button", name="Start", exact=True).click()
        expect(form.locator(f"[data-field={field}] [role=alert]")).to_contain_text(words)
    expect(account).to_be_empty()
    assert not torque.jobs()
