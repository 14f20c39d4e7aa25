"""What can be set, called or typed is documented."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

from qconnect_web.api import HANDLERS
from qconnect_web.cli import parser
from qconnect_web.config import QConnect
from qconnect_web.http.base import JOB
from qconnect_web.values.session import SessionState
from tests.support.doc_blocks import is_test, section

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


def test_every_cell_of_the_version_matrix_is_told_and_run_by_the_workflow() -> None:
    argv = ["tests/matrix.sh", "--list"]
    cells = subprocess.run(argv, cwd=DOCS.parent, capture_output=True, text=True, timeout=30, check=True).stdout.split()
    told = re.findall(
        r"^\| `(\S+)` \| [\d.]+ \| .+ \| (?:passed|untried|failed)", (DOCS / "versions.md").read_text(), re.M
    )
    workflow = yaml.safe_load((DOCS.parent / ".github/workflows/versions.yml").read_text())
    assert cells == told == workflow["jobs"]["cell"]["strategy"]["matrix"]["cell"]


def test_each_misconfiguration_that_the_doctor_is_said_to_name_has_a_test() -> None:
    rows = re.findall(r"^\| (.+?) \| `", section("operating.md", "## When something does not work"), re.M)
    tests = re.findall(r"`(tests/\S+::\w+)` \|$", section("operating.md", "## When something does not work"), re.M)
    assert len(rows) == len(tests) >= 12
    assert not [name for name in tests if not is_test(name)]


def test_every_link_leads_somewhere() -> None:
    root = DOCS.parent
    for page in [root / "README.md", root / "CONTRIBUTING.md", root / "SECURITY.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).resolve().exists(), f"{page.name} links to {target}"


def test_the_site_is_built_without_a_warning_and_no_page_is_left_out(tmp_path: Path) -> None:
    argv = ["make", "docs-html", f"VENV={sys.prefix}", f"SITE={tmp_path}"]
    done = subprocess.run(argv, cwd=DOCS.parent, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {page.stem for page in DOCS.glob("*.md")} <= {page.stem for page in tmp_path.glob("*.html")}


def test_the_film_is_short_and_small() -> None:
    path = DOCS / "images/demo.webp"
    assert path.stat().st_size <= 1_500_000
    with Image.open(path) as film:
        times = [_duration(film, number) for number in range(getattr(film, "n_frames", 1))]
    assert len(times) > 20
    assert 15 <= sum(times) / 1000 <= 25


def _duration(film: Image.Image, number: int) -> int:
    film.seek(number)
    film.load()
    return int(film.info["duration"])
