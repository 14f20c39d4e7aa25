"""No text of a template reaches the page past the translation."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from qconnect_web.pages.handlers import templates

pytestmark = pytest.mark.unit
SHOWN = ("title", "alt", "placeholder", "aria-label", "aria-description", "aria-roledescription", "label", "value")
BRAND = "QConnect"
VALUES = {"static": "1", "base_url": "2", "spawn": "5", "unseen_s": 6, "session": {"id": "3", "title": "4"}}
PAGES = sorted(name for name in templates.list_templates() if name != "layout.html")


class Texts(HTMLParser):
    """All that a person may read on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in SHOWN and value]

    def handle_data(self, data: str) -> None:
        self.found.append(data.strip())


def untranslated(template: str, sessions: list[dict[str, str | None]]) -> list[str]:
    """The words that stay when each text that is translated becomes a mark without letters."""
    texts = Texts()
    texts.feed(templates.get_template(template).render(_=lambda text: "≡", sessions=sessions, **VALUES))
    return [text for text in texts.found if any(map(str.isalpha, text)) and text != BRAND]


@pytest.mark.parametrize("sessions", [[], [{"url": "5", "title": "6", "id": "7", "reason": None}]])
@pytest.mark.parametrize("template", PAGES)
def test_every_text_of_a_page_is_put_into_the_users_language(
    template: str, sessions: list[dict[str, str | None]]
) -> None:
    assert untranslated(template, sessions) == []


def test_a_translation_is_text_and_no_markup() -> None:
    page = templates.get_template("home.html").render(_=lambda text: "<b>&", **VALUES)
    assert "&lt;b&gt;&amp;" in page
    assert "<b>" not in page
