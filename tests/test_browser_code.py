"""What the build made of the browser code: how much of it a browser loads, and what comes with it."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from qconnect_web.clients.assets import BUILT, read_folder
from tests.support.servers import REPOSITORY

PANEL = REPOSITORY / "qconnect_web/labextension/static"
KB = 1000
PANEL_BEFORE = 16_276
"""Bytes (gzip) of JupyterLab's part when it shared no view with the pages."""

pytestmark = pytest.mark.usefixtures("browser_code")


def packed(files: Iterable[bytes]) -> int:
    """Bytes over the network of these files, each compressed as the server does it."""
    return sum(len(gzip.compress(file, 9)) for file in files)


def pages(skipped: str) -> list[bytes]:
    """The files of the pages but for those of one of them."""
    files = read_folder(BUILT / "pages")
    assert f"{skipped}.js" in files
    return [body for name, body in files.items() if not name.startswith(f"{skipped}.")]


def test_the_home_page_is_small() -> None:
    assert packed(pages("viewer")) <= 300 * KB


def test_the_viewer_page_is_smaller_still() -> None:
    """It stands between the click and the picture, and carries no framework."""
    assert packed(pages("home")) <= 40 * KB


def test_the_part_for_jupyterlab_uses_what_jupyterlab_has() -> None:
    assert packed(read_folder(PANEL, (".js",)).values()) <= PANEL_BEFORE + 30 * KB


def test_no_source_map_is_shipped() -> None:
    assert list(BUILT.rglob("*.map")) == []
    assert not [path for path in BUILT.rglob("*.js") if b"sourceMappingURL" in path.read_bytes()]


def test_every_bundled_package_comes_with_its_licence() -> None:
    text = (BUILT / "licences.txt").read_text()
    chapters = re.split(r"^=== ", text, flags=re.MULTILINE)[1:]
    assert {chapter.split()[0] for chapter in chapters} >= {"@novnc/novnc", "react-dom"}
    assert not [chapter.split("\n")[0] for chapter in chapters if "\n--- " not in f"\n{chapter}"]
    assert "Mozilla Public License Version 2.0\n====" in text
    assert "Vitaly Puzrin" in text  # of pako, in noVNC


def test_a_style_sheet_fetches_nothing_of_its_own() -> None:
    """What a page needs is named in it, under one digest."""
    found: list[tuple[Path, str]] = []
    for path in BUILT.rglob("*.css"):
        found += [(path, url) for url in re.findall(r"url\(\s*['\"]?([^)'\"]*)|@import", path.read_text())]
    assert not [(path, url) for path, url in found if not url.startswith("data:")]
