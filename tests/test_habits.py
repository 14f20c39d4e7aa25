"""What holds for everybody who works on this: the same tools, and nothing twice."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.servers import REPOSITORY

LINE = {
    "py": "    total_{0} = first({0}) + 1",
    "sh": "  total_{0}=$((first + {0}))",
    "ts": "  const t{0} = first({0}) + 1;",
}
BODY = {"py": "def {0}():\n{1}\n", "sh": "{0}() {{\n{1}\n}}\n", "ts": "function {0}(): void {{\n{1}\n}}\n"}
IMPORT = "import {\n  one,\n  two,\n  three,\n  four,\n  five,\n  six\n} from '../core/numbers';\n"


def same_lines(path: Path, count: int, head: str = "") -> None:
    """Writes a file with a function of its own name, the same as any other of that many lines."""
    kind = path.suffix[1:]
    body = "\n".join(LINE[kind].format(number) for number in range(count))
    path.parent.mkdir(exist_ok=True)
    path.write_text(head + BODY[kind].format(path.stem, body))


def has_copies(folder: Path, config: str, *paths: str) -> bool:
    """Whether the detector finds any there, asked as `make lint-copies` asks it."""
    shutil.copy(REPOSITORY / config, folder)
    argv = [REPOSITORY / "node_modules/.bin/jscpd", "--config", config, *paths]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"Found (\d+) clones", done.stdout)
    assert found, done.stdout + done.stderr
    assert done.returncode == (found[1] != "0"), done.stdout + done.stderr
    return found[1] != "0"


@pytest.mark.parametrize("kind", LINE)
def test_twelve_lines_do_not_stand_twice(kind: str, tmp_path: Path) -> None:
    same_lines(tmp_path / f"one.{kind}", 12)
    same_lines(tmp_path / f"other.{kind}", 8)
    assert not has_copies(tmp_path, ".jscpd.json")
    same_lines(tmp_path / f"other.{kind}", 12)
    assert has_copies(tmp_path, ".jscpd.json")


def test_six_lines_do_not_stand_in_two_rooms_of_the_browser_code(tmp_path: Path) -> None:
    same_lines(tmp_path / "ui/one.ts", 6, IMPORT)
    same_lines(tmp_path / "ui/other.ts", 6, IMPORT)
    same_lines(tmp_path / "lab/one.ts", 1, IMPORT)
    assert not has_copies(tmp_path, ".jscpd-rooms.json", "ui", "lab")
    same_lines(tmp_path / "lab/one.ts", 6, IMPORT)
    assert has_copies(tmp_path, ".jscpd-rooms.json", "ui", "lab")


def test_the_detector_is_asked_about_every_room_and_all_else() -> None:
    done = subprocess.run(["make", "-n", "lint-copies"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert "jscpd --config .jscpd.json\n" in done.stdout
    assert "jscpd --config .jscpd-rooms.json labextension/src/*/\n" in done.stdout


@pytest.mark.skipif(sys.version_info < (3, 11), reason="check-jsonschema and pre-commit want a newer Python")
def test_what_others_read_of_our_files_is_as_they_want_it() -> None:
    hooks = [f"{sys.prefix}/bin/pre-commit", "validate-config", ".pre-commit-config.yaml"]
    for argv in (["make", "lint-github", f"VENV={sys.prefix}"], hooks):
        done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_what_checks_the_code_has_one_version() -> None:
    lint = re.search(r"^lint = \[.*?\n(.*?)^\]", (REPOSITORY / "pyproject.toml").read_text(), re.M | re.S)
    assert lint
    assert [line for line in lint[1].splitlines() if not re.match(r' +"[\w-]+==[\d.]+["; ]', line)] == []
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"]
    assert [place["repo"] for place in hooks] == ["local"]


def test_a_workflow_runs_what_was_looked_at_and_may_write_nothing_that_it_need_not() -> None:
    for path in (REPOSITORY / ".github/workflows").glob("*.yml"):
        text = path.read_text()
        used = re.findall(r"uses: (\S+.*)", text)
        assert used == [action for action in used if re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action)], path
        workflow = yaml.safe_load(text)
        assert workflow["permissions"] == {"contents": "read"}
        granted = {name: job["permissions"] for name, job in workflow["jobs"].items() if "permissions" in job}
        assert granted == ({"publish": {"id-token": "write"}} if path.stem == "release" else {})
