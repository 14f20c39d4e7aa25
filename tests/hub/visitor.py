"""Somebody at a browser who comes by the hub's own login."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.hub.hub import Hub, route

RESTORED = "() => window.jupyterapp && window.jupyterapp.restored.then(() => true)"


@dataclass
class HubVisitor:
    """One user's browser; `server` is the name of the server that is used, the default one's is empty."""

    hub: Hub
    user: str
    context: BrowserContext
    server: str = ""

    @property
    def home(self) -> Path:
        """The user's home, seen from this machine."""
        return self.hub.cluster.home(self.user)

    @property
    def base(self) -> str:
        """The base URL of the user's server."""
        return route(self.user, self.server)

    def log_in(self) -> HubVisitor:
        """By name and password, on the hub's page."""
        page = self.context.new_page()
        page.goto(f"{self.hub.origin}/hub/login?next=%2Fhub%2Fhome")
        page.get_by_label("Username").fill(self.user)
        page.get_by_label("Password").fill(self.hub.passwords[self.user])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/hub/home")
        page.close()
        return self

    def lab(self) -> Page:
        """JupyterLab on the user's server, which the hub spawns when it does not run."""
        page = self.context.new_page()
        page.goto(f"{self.hub.origin}/hub/spawn/{self.user}/{self.server}".rstrip("/"))
        page.wait_for_url(f"**{self.base}lab**", timeout=90_000)
        page.wait_for_function(RESTORED, timeout=60_000)
        return page

    def launch(self) -> Page:
        """Clicks XTerm's tile in JupyterLab; the tab that opens."""
        lab = self.lab()
        with self.context.expect_page() as opened:
            lab.locator(".jp-LauncherCard").filter(has_text="XTerm").click()
        opened.value.wait_for_url("**/qconnect/*/", timeout=30_000)
        lab.close()
        return opened.value

    def view(self, session: dict[str, Any]) -> Page:
        """The session's page."""
        page = self.context.new_page()
        page.goto(self.hub.origin + session["url"])
        return page
