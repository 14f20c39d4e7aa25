"""What a page of a session really shows: pixels of the remote windows, not the page's own opinion."""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Page

from tests.support.deadline import eventually

WINDOWS = """() => {
  const found = [];
  for (const frame of document.querySelectorAll('iframe')) {
    if (getComputedStyle(frame).visibility === 'hidden') continue;
    let client = null;
    try { client = frame.contentWindow.client; } catch { continue; }
    for (const window of Object.values((client && client.id_to_window) || {})) {
      const canvas = window.canvas;
      if (!canvas || !canvas.width || !canvas.height) continue;
      const copy = document.createElement('canvas');
      [copy.width, copy.height] = [canvas.width, canvas.height];
      const context = copy.getContext('2d');
      context.drawImage(canvas, 0, 0);
      const data = new Uint32Array(context.getImageData(0, 0, copy.width, copy.height).data.buffer);
      let inked = 0, sum = 0;
      for (let i = 0; i < data.length; i++) {
        if (data[i] !== data[0]) inked++;
        sum = (Math.imul(sum, 31) + data[i]) | 0;
      }
      found.push({ class: window.metadata['class-instance'] || [], inked, sum, size: [copy.width, copy.height] });
    }
  }
  return found;
}"""


def windows(page: Page) -> list[dict[str, Any]]:
    """The remote windows in the visible client: class, how many pixels differ from the first one, a checksum."""
    return list(page.evaluate(WINDOWS))


def painted(page: Page, name: str = "XTerm") -> dict[str, Any] | None:
    """The window of this X class, if it has more than one colour."""
    return next((window for window in windows(page) if name in window["class"] and window["inked"] > 0), None)


def wait_painted(page: Page, name: str = "XTerm", timeout: float = 30) -> dict[str, Any]:
    """The window of this X class as soon as it is painted."""
    found = eventually(lambda: painted(page, name), timeout, f"a painted {name}; windows: {windows(page)}")
    assert found
    return found


def ready(page: Page) -> bool:
    """Whether the page itself says that all is well (no veil over the picture)."""
    return bool(page.evaluate("() => window.qconnect && window.qconnect.state === 'ready'"))


def events(page: Page, name: str) -> list[float]:
    """The page's own times (ms) of an event in its log."""
    return list(page.evaluate("name => window.qconnect.log.filter(e => e[1] === name).map(e => e[0])", name))


def seconds_until(predicate: Any, timeout: float, what: str) -> float:
    """How long it took until something came true."""
    before = time.monotonic()
    eventually(predicate, timeout, what)
    return time.monotonic() - before
