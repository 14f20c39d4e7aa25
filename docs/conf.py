"""How Sphinx makes the site of these pages: `make docs`."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent

project = "qconnect web"
author = "The qconnect web contributors"
copyright = f"2026, {author}"
release = re.findall(r'__version__ = "(.+)"', (HERE.parent / "qconnect_web/__init__.py").read_text("utf-8"))[0]
version = release

extensions = ["myst_parser", "sphinx_copybutton", "sphinx_design"]
nitpicky = True
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3  # a link to a heading that is not there is a warning, and a warning fails the build
copybutton_prompt_text = "$ "

html_theme = "pydata_sphinx_theme"
html_title = "qconnect web"
html_logo = "images/logo.svg"
html_favicon = "images/logo.svg"
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("index", "rest", "security", "compared")}  # they stand alone
html_theme_options = {
    "logo": {"text": project},
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "secondary_sidebar_items": ["page-toc"],
}
