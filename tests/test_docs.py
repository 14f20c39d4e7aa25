"""What can be set, called or typed is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qconnect_web.api import HANDLERS
from qconnect_web.cli import parser
from qconnect_web.config import QConnect
from qconnect_web.http.base import JOB
from qconnect_web.values.session import SessionState

pytestmark = pytest.mark.unit
DOCS = Path(__file__).parent.parent / "docs"


def test_every_setting_is_documented() -> None:
    text = (DOCS / "configuration.md").read_text()
    assert not [name for name in QConnect.class_own_traits(config=True) if f"`c.QConnect.{name}`" not in text]


def test_no_setting_is_documented_that_does_not_exist() -> None:
    named = set(re.findall(r"`c\.QConnect\.(\w+)`", (DOCS / "configuration.md").read_text()))
    assert named == set(QConnect.class_own_traits(config=True))


def test_every_route_is_documented() -> None:
    text = (DOCS / "rest.md").read_text()
    for pattern, kind in HANDLERS:
        path = pattern.replace(JOB, "<jobid>").replace("([A-Za-z0-9._-]{1,64})", "<name>").replace("\\", "")
        for verb in ("get", "post", "put", "patch", "delete"):
            if verb in vars(kind):
                assert f"`{verb.upper()} /qconnect/{path}`" in text, (verb, path)


def test_every_state_is_documented() -> None:
    text = (DOCS / "rest.md").read_text()
    assert not [state.value for state in SessionState if f"`{state.value}`" not in text]


def test_every_option_of_the_command_is_documented() -> None:
    text = (DOCS / "cli.md").read_text()
    for action in parser()._actions:
        for option in action.option_strings or [action.dest.upper()]:
            assert f"`{option}" in text, option


def test_each_journey_goes_through_files_that_there_are_and_counts_its_turns_back() -> None:
    text = (DOCS / "architecture.md").read_text().partition("\n## Journeys\n")[2].partition("\n## ")[0]
    journeys = [part for part in text.split("\n\n") if part.startswith("**")]
    assert len(journeys) >= 5
    for journey in journeys:
        said = re.search(r"\((\d|no) turns? back", journey)
        assert said, journey
        assert journey.count("↩") == (0 if said[1] == "no" else int(said[1])) <= 3
        for name in re.findall(r"`([a-z_/-]+)(?:/…)?`", journey):
            places = [DOCS.parent / place / name for place in ("qconnect_web", "labextension/src", ".")]
            files = [place.with_suffix(suffix) for place in places for suffix in ("", ".py", ".ts", ".tsx")]
            assert any(file.exists() for file in files) or name == "qsub", name


def test_every_document_is_linked_and_every_link_leads_somewhere() -> None:
    root = DOCS.parent
    pages = [root / "README.md", root / "CONTRIBUTING.md", root / "SECURITY.md", *DOCS.glob("*.md")]
    linked = set()
    for page in pages:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            path = (page.parent / target).resolve()
            assert path.exists(), f"{page.name} links to {target}"
            linked.add(path)
    assert not [page.name for page in DOCS.glob("*.md") if page.resolve() not in linked]
