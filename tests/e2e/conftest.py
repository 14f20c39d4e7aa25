"""A real JupyterLab with the JupyterLab part as its sources are now, and Debian's Chromium."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from hatch_build import build_frontend
from tests.e2e.desk import Desk
from tests.support.servers import REPOSITORY, JupyterServer

expect.set_options(timeout=20_000)  # two lanes and what their pages start share a machine; what is true is told at once


@pytest.fixture(scope="session")
def lab_config(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Configuration of a JupyterLab that shows the current sources, whatever bundle is installed."""
    build_frontend(REPOSITORY)
    folder = tmp_path_factory.mktemp("labextensions")
    (folder / "qconnect-web").symlink_to(REPOSITORY / "qconnect_web/labextension")
    return {"LabApp": {"expose_app_in_browser": True, "extra_labextensions_path": [str(folder)]}}


@pytest.fixture
def lab(tmp_path: Path, lab_config: dict[str, Any]) -> Iterator[JupyterServer]:
    """A JupyterLab of the test's own; its sessions end with it."""
    server = JupyterServer(tmp_path, module="jupyterlab", config=lab_config)
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, browser_code: None) -> Iterator[Desk]:
    server = JupyterServer(tmp_path_factory.mktemp("home"), prefix="/a%40b/").start()
    yield Desk(server)
    server.close()


@pytest.fixture
def session(desk: Desk) -> Iterator[dict[str, Any]]:
    found = desk.session()
    yield found
    desk.server.end(found["id"])


@pytest.fixture
def page(desk: Desk, context: BrowserContext, session: dict[str, Any]) -> Page:
    """The session's page, painted."""
    return desk.view(context, session)


@pytest.fixture
def may_paste(context: BrowserContext) -> None:
    """Pages may use the browser's clipboard."""
    context.grant_permissions(["clipboard-read", "clipboard-write"])


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium, with its popup blocker on: Playwright would switch it off."""
    return {
        **browser_type_launch_args,
        "executable_path": os.environ.get("QCONNECT_CHROMIUM", "/usr/bin/chromium"),
        "args": ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        "ignore_default_args": ["--disable-popup-blocking"],
    }
