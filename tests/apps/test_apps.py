"""The catalogue: what is shipped, what a site and a user change, and what their mistakes lead to."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from qconnect_web import data_files
from qconnect_web.apps import app_file, catalogue, checks, form_schema
from qconnect_web.apps import form as forms
from qconnect_web.apps.app_file import MAX_ICON, MAX_SIZE, read_app_file, schema
from qconnect_web.apps.catalogue import Catalogue
from qconnect_web.data_files import data_folder
from qconnect_web.errors import BadAppFile, BadRequest, QConnectError, UnknownApp
from qconnect_web.schedulers import directives
from qconnect_web.values.app import App
from qconnect_web.values.job import JobSpec

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "apps.md"
SHIPPED = {
    "rstudio",
    "r",
    "xterm",
    "tmux",
    "xfce",
    "matlab",
    "octave",
    "paraview",
    "igv",
    "fiji",
    "firefox",
    "command",
    "vnc",
}
ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir(mode=0o755)
    return folder


@pytest.fixture
def user(tmp_path: Path) -> Path:
    folder = tmp_path / "user"
    folder.mkdir(mode=0o700)
    return folder


def put(folder: Path, name: str, text: str | bytes) -> Path:
    """An app file with this content."""
    path = folder / f"{name}.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o644)
    return path


def catalogue_of(folder: Path, text: str, name: str = "tool") -> Catalogue:
    put(folder, name, text)
    return Catalogue([folder])


def app_of(folder: Path, text: str) -> App:
    """The app that a file makes."""
    found = catalogue_of(folder, text)
    assert not found.problems
    return found.get("tool")


def problem_of(folder: Path, text: str | bytes) -> str:
    """What is said of a file with a mistake, without its path; the app is not there."""
    path = put(folder, "tool", text)
    found = Catalogue([folder])
    assert [app.name for app in found.apps()] == [app.name for app in Catalogue([]).apps()]
    [problem] = found.problems
    assert problem.startswith(str(path))
    return problem.removeprefix(str(path))


def refusal(call: Callable[[], object]) -> QConnectError | None:
    """The package's own error that a call ends with; any other is a failure of the test."""
    try:
        call()
    except QConnectError as error:
        return error
    return None


# ---------------------------------------------------------------------- what is shipped


def test_the_shipped_apps_are_all_there_and_right() -> None:
    found = Catalogue([])
    assert {app.name for app in found.apps()} == SHIPPED
    assert not found.problems


def test_every_shipped_app_has_a_drawing_of_its_own() -> None:
    icons = [app.icon for app in Catalogue([]).apps()]
    assert len(set(icons)) == len(icons)
    for icon in icons:
        assert icon.parent == data_folder("apps", "command.yaml") / "icons"
        assert not re.search(r"<script|\bon\w+=|href|<image|<style|<!", icon.read_text())
    used = {*icons, data_folder("apps", "command.yaml") / "icons" / "app.svg"}
    assert set((data_folder("apps", "command.yaml") / "icons").iterdir()) == used


def test_the_apps_come_in_their_order_with_any_command_last() -> None:
    names = [app.name for app in Catalogue([]).apps()]
    assert names[0] == "rstudio"
    assert names[-1] == "command"


def test_apps_ask_for_what_their_ready_scripts_ask_for() -> None:
    found = Catalogue([])
    for name, memory in {"rstudio": "4GB", "xterm": "1GB"}.items():
        assert found.job_spec(found.get(name), {}) == JobSpec(name, cores=1, memory=memory, walltime="08:00:00")


def test_xterm_keeps_its_class_and_gives_marked_text_to_the_clipboard() -> None:
    command = Catalogue([]).get("xterm").command
    assert "-class" not in command
    assert "-name" not in command
    assert command[command.index("-xrm") + 1] == "XTerm*selectToClipboard: true"


def test_each_firefox_has_a_profile_of_its_own_in_the_temporary_folder_of_its_session(tmp_path: Path) -> None:
    fake = tmp_path / "firefox"
    fake.write_text('#!/bin/sh\nfor word; do :; done; ls -d "$word"\n')  # the last word: a folder, or it fails
    fake.chmod(0o755)
    temporary = tmp_path / "with spaces"
    temporary.mkdir()
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(temporary)}
    command = Catalogue([]).get("firefox").command
    runs = [subprocess.run(command, env=environment, capture_output=True, text=True, timeout=10) for _ in range(2)]
    profiles = {Path(run.stdout.rstrip("\n")) for run in runs}
    assert profiles == set(temporary.iterdir())
    assert len(profiles) == 2


def test_every_shipped_app_says_which_programs_it_needs() -> None:
    for app in Catalogue([]).apps():
        assert app.takes_command or app.command[0] in app.requires
    assert Catalogue([]).get("r").requires == ("xterm", "R")


def test_opengl_programs_and_the_desktop_say_so() -> None:
    kinds = {app.name: app.kind for app in Catalogue([]).apps()}
    assert {name for name, kind in kinds.items() if kind == "desktop"} == {"xfce"}
    assert {name for name, kind in kinds.items() if kind == "terminal"} == {"tmux"}
    has_glx = {app.name for app in Catalogue([]).apps() if app.opengl}
    assert {"matlab", "paraview", "command", "xterm", "xfce", "tmux"} <= has_glx  # whoever types a command may mean any


def test_programs_with_one_main_window_fill_the_tab() -> None:
    assert {app.name for app in Catalogue([]).apps() if app.window == "fill"} == {"firefox", "igv", "matlab", "rstudio"}


def test_a_checkout_shows_its_own_files_to_whoever_edits_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed = tmp_path / "qconnect" / "apps"
    installed.mkdir(parents=True)
    put(installed, "command", "title: Installed\ntakes_command: true\n")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    data_folder.cache_clear()
    try:
        assert data_folder("apps", "command.yaml") == ROOT / "apps"
        data_folder.cache_clear()
        monkeypatch.setattr(data_files, "__file__", str(tmp_path / "lib" / "qconnect_web" / "data_files.py"))
        assert data_folder("apps", "command.yaml") == installed
        data_folder.cache_clear()
        (installed / "command.yaml").unlink()
        monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "none"))
        monkeypatch.setattr("jupyter_core.paths.SYSTEM_JUPYTER_PATH", [])
        monkeypatch.setattr("jupyter_core.paths.ENV_JUPYTER_PATH", [])
        with pytest.raises(FileNotFoundError, match="not installed"):
            data_folder("apps", "command.yaml")
    finally:
        data_folder.cache_clear()


# ---------------------------------------------------------------------- merging


def test_a_site_file_changes_only_what_it_names(site: Path) -> None:
    shipped = Catalogue([]).get("rstudio")
    put(site, "rstudio", "setup: module load rstudio\nresources: {memory: 8GB}\n")
    changed = Catalogue([site]).get("rstudio")
    assert changed.setup == "module load rstudio"
    assert changed.resources == {**shipped.resources, "memory": "8GB"}
    assert (changed.title, changed.command, changed.icon) == (shipped.title, shipped.command, shipped.icon)


def test_the_user_has_the_last_word(site: Path, user: Path) -> None:
    put(site, "rstudio", "title: Site\ndescription: Of the site\nform: {cores: {max: 8}, name: false}\n")
    put(user, "rstudio", "title: Mine\nform: {cores: {max: 4}}\n")
    found = Catalogue([site, user]).get("rstudio")
    assert (found.title, found.description) == ("Mine", "Of the site")
    assert found.form == {"cores": {"max": 4}, "name": False}


def test_a_new_app_has_sensible_defaults(user: Path) -> None:
    app = app_of(user, "title: Tool\ncommand: [/opt/tool/bin/tool, -v]\n")
    assert app.requires == ("/opt/tool/bin/tool",)
    assert (app.kind, app.category, app.order, app.opengl, app.takes_command) == ("gui", "Other", 100, False, False)
    assert app.description == "Tool"
    assert app.icon.name == "app.svg"
    assert app.icon.is_file()
    assert app.resources == {"cores": 1, "walltime": "08:00:00"}


def test_an_icon_lies_beside_the_file_that_names_it(site: Path, user: Path) -> None:
    (site / "icons").mkdir()
    (site / "icons" / "tool.svg").write_text(ICON)
    put(site, "tool", "title: Tool\ncommand: [tool]\nicon: icons/tool.svg\n")
    put(user, "tool", "title: Mine\n")
    assert Catalogue([site, user]).get("tool").icon == site / "icons" / "tool.svg"


def test_a_hidden_app_is_gone_and_a_later_folder_brings_it_back(site: Path, user: Path) -> None:
    put(site, "xfce", "hidden: true\n")
    found = Catalogue([site, user])
    assert {app.name for app in found.apps()} == SHIPPED - {"xfce"}
    assert not found.problems
    with pytest.raises(UnknownApp):
        found.get("xfce")
    put(user, "xfce", "hidden: false\n")
    assert found.get("xfce").command == ("startxfce4",)


def test_a_command_of_the_site_is_what_is_looked_for(site: Path) -> None:
    put(site, "rstudio", "command: [/opt/rstudio/rstudio]\n")
    assert Catalogue([site]).get("rstudio").requires == ("/opt/rstudio/rstudio",)


def test_changes_count_at_once_and_only_then_is_anything_read(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    real = app_file.read_app_file
    monkeypatch.setattr(app_file, "read_app_file", lambda path, **kw: (read.append(path), real(path, **kw))[1])
    found = catalogue_of(user, "title: One\ncommand: [a]\n")
    assert found.get("tool").title == "One"
    read.clear()
    assert found.apps()
    assert not found.problems
    assert not read
    put(user, "tool", "title: Two\ncommand: [a]\n")
    assert found.get("tool").title == "Two"
    put(user, "other", "title: Other\ncommand: [a]\n")
    assert found.get("other")
    (user / "tool.yaml").unlink()
    with pytest.raises(UnknownApp):
        found.get("tool")


def test_a_mended_file_is_no_problem_any_more(user: Path) -> None:
    found = catalogue_of(user, "titel: One\n")
    assert found.problems
    put(user, "tool", "title: One\ncommand: [a]\n")
    assert not found.problems
    (user / "old.yml").write_text("title: Old\n")
    assert found.problems == [f"{user / 'old.yml'} is not read. Rename it to old.yaml."]
    (user / "old.yml").unlink()
    assert not found.problems


def test_an_icon_that_comes_later_mends_its_app(user: Path) -> None:
    (user / "icons").mkdir()
    found = catalogue_of(user, "title: One\ncommand: [a]\nicon: icons/one.svg\n")
    assert "icons/one.svg, which cannot be read: No such file" in found.problems[0]
    (user / "icons" / "one.svg").write_text(ICON)
    assert found.get("tool").icon == user / "icons" / "one.svg"
    assert not found.problems


def test_folders_that_are_not_there_have_no_apps(tmp_path: Path) -> None:
    found = Catalogue([tmp_path / "none"])
    assert {app.name for app in found.apps()} == SHIPPED
    assert not found.problems


def test_an_unknown_app_is_named_with_the_nearest_one() -> None:
    with pytest.raises(UnknownApp, match=r"no app 'rstuido'\. Did you mean 'rstudio'\?"):
        Catalogue([]).get("rstuido")
    with pytest.raises(UnknownApp, match="Known: command, fiji"):
        Catalogue([]).get("../../etc/passwd")
    with pytest.raises(UnknownApp) as caught:
        Catalogue([]).get("x" * 100_000 + "\n")
    assert len(caught.value.message) < 400


# ---------------------------------------------------------------------- mistakes

TOOL = "title: Tool\ncommand: [tool]\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TOOL + "ikon: a.svg\n", ", line 3: `ikon` is not a key of app files. Did you mean 'icon'?"),
        (TOOL + "resources:\n  cores: 1\n  mem: 4GB\n", ", line 5: `resources.mem` is not a key of app files. Did you"),
        (TOOL + "zzz: 1\n", ", line 3: `zzz` is not a key of app files. Known: category, command,"),
        (TOOL + "resources:\n  memory: lots\n", ", line 4: `resources.memory` is not right. The memory 'lots' is not"),
        (TOOL + "resources: {memory: 100MB}\n", ", line 3: `resources.memory` is not right. The memory '100MB' is too"),
        (TOOL + "resources: {walltime: 1x}\n", ", line 3: `resources.walltime` is not right. The walltime '1x' is no"),
        (TOOL + "resources: {memory: 4}\n", ", line 3: `resources.memory` is 4, which cannot be. It must be an amount"),
        (TOOL + "resources: {cores: 4.0}\n", ", line 3: `resources.cores` is '4.0', which cannot be. It must be a nu"),
        (TOOL + "resources: {cores: true}\n", ", line 3: `resources.cores` is True, which cannot be. It must be a nu"),
        (TOOL + "resources: {cores: 0}\n", ", line 3: `resources.cores` is 0, which cannot be. It must be a number"),
        (TOOL + "resources:\n", ", line 3: `resources` is empty, which cannot be. It must be what a job"),
        (TOOL + "form: {memory: {max: 1 potato}}\n", ", line 3: `form.memory.max` is not right. The memory '1 potato'"),
        (TOOL + "opengl: yes\n", ", line 3: `opengl` is 'yes', which cannot be. It must be true for programs that"),
        (
            TOOL + "window: whole\n",
            ", line 3: `window` is 'whole', which cannot be. It must be `fill`, so that the main",
        ),
        (TOOL + "kind: window\n", ", line 3: `kind` is 'window', which cannot be. It must be gui (windows of"),
        (
            "title: Tool\ncommand: [xterm, -fs, 11]\n",
            ", line 2: `command[3]` is 11, which cannot be. It must be a word",
        ),
        ("title: Tool\ncommand: xterm -ls\n", ", line 2: `command` is 'xterm -ls', which cannot be. It must be the p"),
        ("title: Tool\ncommand: []\n", ", line 2: `command` is [], which cannot be."),
        ("title: Tool\ncommand: ['']\n", ", line 2: `command[1]` is '', which cannot be. It must be the name of a pr"),
        (
            'title: "a\\nb"\ncommand: [tool]\n',
            ", line 1: `title` is 'a\\nb', which cannot be. It must be the name that",
        ),
        (TOOL + 'setup: "a\\0b"\n', ", line 3: `setup` is 'a\\x00b', which cannot be. It must be lines of bash"),
        (TOOL + "icon: ../../../etc/x.svg\n", ", line 3: `icon` is '../../../etc/x.svg', which cannot be. It must be"),
        (TOOL + "icon: /etc/x.svg\n", ", line 3: `icon` is '/etc/x.svg', which cannot be."),
        (TOOL + "title: Again\n", ", line 3: `title` is there twice. Remove one of the two."),
        ("title: [\n", ", line 2: this is not YAML as app files have it: "),
        ("title: a\nb: c: d\n", ", line 2: this is not YAML as app files have it: "),
        (
            "title: Tool\ncommand: [&a tool, *a]\n",
            ", line 2: this is not YAML as app files have it: anchors (&, *) are",
        ),
        ("title: !!python/object/apply:os.system [true]\n", ", line 1: `title` has a tag (!). Write plain values."),
        ("title: !secret x\n", ", line 1: `title` has a tag (!). Write plain values."),
        ("title: !!int abc\n", ", line 1: `title` is not a value that can be passed on."),
        ('title: "\\uD800"\n', ", line 1: `title` is not a value that can be passed on."),
        ('title: "\\UFFFFFFFF"\n', ": an escape in quotes is not a character. Write the character itself."),
        ('title: "\\U00110000"\n', ": an escape in quotes is not a character. Write the character itself."),
        ("order: first\ncategory: 1\n", ", line 1: `order` is 'first', which cannot be."),
        ("category: 1\norder: first\n", ", line 1: `category` is 1, which cannot be."),
        ("title: a\x07b\n", ", line 1: there is a character that YAML does not allow. Remove it."),
        ("a: {b: {c: {d: {e: {f: {g: {h: 1}}}}}}}\n", ", line 1: this is not YAML as app files have it: the nesting"),
        ("? [a]\n: 1\n", ", line 1: a key must be a word. Known keys are in docs/apps.md."),
        ("- a\n", ", line 1: an app file holds keys and values. Begin with a line like `title: XTerm`."),
        ("", ", line 1: an app file holds keys and values. Begin with a line like `title: XTerm`."),
        ("title: a\n---\ntitle: b\n", ", line 2: this is not YAML as app files have it: "),
        ("command: [tool]\n", ", line 1: the app 'tool' has no title. Add a line like `title: tool`."),
        ("title: Tool\n", ", line 1: the app 'tool' has no command. Give it `command: [program]`, or"),
        (TOOL + "takes_command: true\n", ", line 1: the app 'tool' has both `command` and `takes_command`. Give it"),
        (
            TOOL + "form: {memory: {max: 512MB}}\n",
            ", line 1: `resources` do not fit `form`. The memory 1GB is more than Tool may have here. Ask for 512MB",
        ),
    ],
)
def test_a_mistake_is_told_with_line_key_and_remedy(user: Path, text: str, words: str) -> None:
    problem = problem_of(user, text)
    assert problem.startswith(words)
    assert problem.endswith((".", "]", "'", "}", "?")) or "Example: " in problem


def test_a_mistake_in_a_higher_folder_leaves_the_app_below_as_it_was(site: Path, user: Path) -> None:
    put(site, "rstudio", "title: Site's RStudio\n")
    broken = put(user, "rstudio", "title: Mine\nkommand: [x]\n")
    put(user, "tool", TOOL)
    found = Catalogue([site, user])
    assert found.get("rstudio").title == "Site's RStudio"
    assert found.get("tool")
    [problem] = found.problems
    assert problem.startswith(f"{broken}, line 2: `kommand` is not a key of app files. Did you mean 'command'?")


def test_a_file_that_would_break_the_merged_app_is_left_out(site: Path, user: Path) -> None:
    put(site, "rstudio", "form: {memory: {max: 8GB}}\n")
    put(user, "rstudio", "title: Mine\nresources: {memory: 16GB}\n")
    found = Catalogue([site, user])
    assert found.get("rstudio").title == "RStudio"
    assert "line 2: `resources` do not fit `form`. The memory 16GB is more than Mine may have here" in found.problems[0]


def test_a_mistake_raises_from_the_reader(user: Path) -> None:
    path = put(user, "tool", "titel: x\n")
    with pytest.raises(BadAppFile, match=f"{re.escape(str(path))}, line 1: `titel`"):
        read_app_file(path)


def test_bytes_that_are_not_text_are_told_with_their_line(user: Path) -> None:
    problem = problem_of(user, b"title: Tool\ncommand: [t\xff]\n")
    assert problem == ", line 2: this is not UTF-8. Save the file as UTF-8."


def test_a_file_is_bounded_in_size_and_read_no_further(user: Path) -> None:
    assert "larger than 32 KiB" in problem_of(user, TOOL + "#" * MAX_SIZE)


def test_a_pipe_is_not_waited_for(user: Path) -> None:
    os.mkfifo(user / "tool.yaml")
    before = time.monotonic()
    assert "is not a file" in Catalogue([user]).problems[0]
    assert time.monotonic() - before < 2


def test_a_folder_in_the_place_of_a_file_is_told(user: Path) -> None:
    (user / "tool.yaml").mkdir()
    assert re.search(r"tool\.yaml (is not a file|cannot be read)", Catalogue([user]).problems[0])


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "apps").write_text("x")
    found = Catalogue([tmp_path / "apps"])
    assert "cannot be read: Not a directory" in found.problems[0]
    assert {app.name for app in found.apps()} == SHIPPED


def test_what_everybody_can_write_to_is_not_read(user: Path) -> None:
    put(user, "tool", TOOL).chmod(0o666)
    assert "tool.yaml can be changed by everybody on this machine. Protect it" in Catalogue([user]).problems[0]
    put(user, "tool", TOOL)
    user.chmod(0o1777)
    found = Catalogue([user])
    assert found.problems == [f"{user} can be changed by everybody on this machine. Protect it: chmod o-w."]
    assert {app.name for app in found.apps()} == SHIPPED
    user.chmod(0o700)
    assert found.get("tool")


def test_a_name_that_cannot_stand_in_a_url_is_refused(user: Path) -> None:
    for name in ("a b", "ü", "-x", "a" * 65):
        path = put(user, name, TOOL)
        assert "Rename the file" in Catalogue([user]).problems[0]
        path.unlink()


def test_editors_backup_files_are_not_apps(user: Path) -> None:
    for name in (".tool.yaml.swp", "tool.yaml~", ".#tool.yaml", "notes.txt"):
        (user / name).write_text("{{{")
    found = Catalogue([user])
    assert {app.name for app in found.apps()} == SHIPPED
    assert not found.problems


def test_there_is_an_end_to_the_files_of_a_folder(user: Path) -> None:
    for number in range(catalogue.MAX_FILES + 5):
        put(user, f"t{number:03}", TOOL)
    found = Catalogue([user])
    assert len(found.apps()) == len(SHIPPED) + catalogue.MAX_FILES
    assert "more than 200 app files" in found.problems[0]


def test_an_icon_must_be_a_drawing_of_bounded_size(user: Path) -> None:
    text = TOOL + "icon: tool.svg\n"
    icon = user / "tool.svg"
    for content in ("not a drawing", ICON + " " * MAX_ICON):
        icon.write_text(content)
        assert "which is not an SVG of at most 64 KiB" in problem_of(user, text)
    icon.unlink()
    os.mkfifo(icon)
    assert "which is not an SVG" in problem_of(user, text)


KEYS = [*schema()["properties"], "zzz", "<<", "1"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=30),
    st.sampled_from(["4GB", "08:00:00", "gui", "xterm", "icons/x.svg", "0", "1_0", "1e3", "2026-01-01", "=", "<<"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*JobSpec.__dataclass_fields__, "min", "max", "choices", "x"]) | st.text(max_size=5),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
MARKS = "[]{}:,-?!&*#|>%@`'\"\\ \n\t~<=.0aÿ\ufeff\u2028\0"
BROKEN = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=300).map(str.encode),
    st.text(alphabet=MARKS, max_size=120).map(str.encode),
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5).map(
        lambda data: yaml.safe_dump(data, allow_unicode=True).encode()
    ),
    st.tuples(st.sampled_from(sorted(SHIPPED)), st.integers(0, 700), st.text(alphabet=MARKS, max_size=4)).map(
        lambda cut: cut_into(*cut)
    ),
)


def cut_into(name: str, place: int, piece: str) -> bytes:
    """A shipped file with something put into it."""
    text = (ROOT / "apps" / f"{name}.yaml").read_text()
    return (text[:place] + piece + text[place:]).encode()


@pytest.fixture
def few(tmp_path: Path) -> Iterator[Path]:
    """Two shipped files alone, so that thousands of catalogues are read in seconds."""
    folder = tmp_path / "few"
    (folder / "icons").mkdir(parents=True)
    for name in ("rstudio.yaml", "command.yaml", "icons/rstudio.svg", "icons/command.svg"):
        (folder / name).write_bytes((ROOT / "apps" / name).read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "data_folder", lambda *_: folder)
        yield folder


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=BROKEN)
def test_no_file_whatever_is_in_it_leads_to_anything_but_an_app_or_a_problem(
    few: Path, user: Path, content: bytes
) -> None:
    path = put(user, "rstudio", content)
    before = Catalogue([]).get("rstudio")
    error = refusal(lambda: read_app_file(path))
    if error:
        assert isinstance(error, BadAppFile)
        assert error.message.startswith(str(path))
        assert error.message.isprintable()
    found = Catalogue([user])
    assert found.problems or not error
    assert {app.name for app in found.apps()} in ({"rstudio", "command"}, {"command"})
    if found.problems:
        assert found.get("rstudio") == before
    for app in found.apps():
        json.dumps(found.describe(app, available=True, reason=None, icon_url="/i")).encode()
        assert found.job_spec(app, {})


@pytest.mark.parametrize("unit", ["[", "{", "- ", "? ", "a: ", "'", "!!", "- - ", "{a: ", "|\n", "a:\n", "%", "[]\n"])
def test_no_file_keeps_the_server_busy(user: Path, unit: str) -> None:
    put(user, "tool", (unit * MAX_SIZE)[:MAX_SIZE])
    before = time.process_time()
    assert Catalogue([user]).problems
    assert time.process_time() - before < 5


# ---------------------------------------------------------------------- what users may ask for


@pytest.fixture
def limited(user: Path) -> App:
    return app_of(
        user,
        TOOL
        + """
resources: {cores: 2, memory: 2048mb, walltime: 01:30:00, queue: batch, gpus: 1, native: ["-l feature=fast"]}
form:
  cores: {min: 2, max: 8}
  memory: {max: 8GB}
  walltime: {max: 24:00:00}
  queue: {choices: [batch, short]}
""",
    )


def test_what_the_user_says_is_put_over_the_defaults(limited: App) -> None:
    spec = forms.job_spec(limited, {"cores": 4, "walltime": "1-00:00:00", "queue": "short"})
    assert spec == JobSpec("tool", "short", 1, 4, "2GB", "24:00:00", 1, None, ("-l feature=fast",))


def test_a_name_is_kept_to_the_letter(limited: App) -> None:
    for name in ("my ü $(x) `id` 'a' \"b\" \\", "  x  ", "日本語 👩‍🔬", "#PBS -l nodes=9", "x" * 100):
        assert forms.job_spec(limited, {"name": name}).name == name


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"corse": 4}, "There is no 'corse' to ask for. Did you mean 'cores'?"),
        (
            {"zzz": 4},
            "There is no 'zzz' to ask for. Known: account, cores, gpu_type, gpus, mail, memory, name, nodes",
        ),
        ({"x" * 9999: 4}, "There is no 'xxxx"),
        ({"cores": True}, "The cores must be a whole number like 4, not True."),
        ({"cores": 2.0}, "The cores must be a whole number like 4, not 2.0."),
        ({"cores": "2"}, "The cores must be a whole number like 4, not '2'."),
        ({"cores": 0}, "The cores cannot be 0. Ask for 1 to 65536."),
        ({"cores": -1}, "The cores cannot be -1."),
        ({"cores": 10**400}, "The cores cannot be 1000"),
        ({"cores": 1}, "The cores 1 is less than Tool may have here. Ask for 2 or more."),
        ({"cores": 9}, "The cores 9 is more than Tool may have here. Ask for 8 or less."),
        ({"memory": 4}, "The memory must be text, a number and a unit, like 4GB, not 4."),
        ({"memory": "much"}, "The memory 'much' is not a size. Write a number and a unit, like 4GB."),
        ({"memory": "255MB"}, "The memory '255MB' is too little for a display. Ask for 256MB or more, like 4GB."),
        ({"memory": "9GB"}, "The memory 9GB is more than Tool may have here. Ask for 8GB or less."),
        ({"memory": None}, "The memory must be text"),
        ({"walltime": 3600}, "The walltime must be text like 04:00:00, not 3600."),
        ({"walltime": "4x"}, "The walltime '4x' is not a time. Write hours:minutes:seconds"),
        ({"walltime": "00:00:30"}, "The walltime '00:00:30' is less than a minute."),
        ({"walltime": "999-9999:00:00"}, "The walltime '999-9999:00:00' is more than a year."),
        ({"walltime": "24:00:01"}, "The walltime 24:00:01 is more than Tool may have here. Ask for 24:00:00 or less."),
        ({"queue": "short\n"}, "The queue 'short\\n' is not a queue's name."),
        ({"queue": "a b"}, "The queue 'a b' is not a queue's name."),
        ({"queue": ""}, "The queue '' is not a queue's name."),
        ({"queue": "x" * 65}, "The queue 'xxx"),
        ({"queue": 1}, "The queue 1 is not a queue's name."),
        ({"queue": "shrot"}, "The queue 'shrot' is not for Tool. Did you mean 'short'?"),
        ({"name": ""}, "The name is empty."),
        ({"name": " \u00a0"}, "The name is empty."),
        ({"name": "a\nb"}, "The name 'a\\nb' holds control characters."),
        ({"name": "a\x00"}, "The name 'a\\x00' holds control characters."),
        ({"name": "a\x85b"}, "The name 'a\\x85b' holds control characters."),
        ({"name": "\ud800"}, "The name '\\ud800' holds control characters."),
        ({"name": "x" * 101}, "The name has 101 characters. Use 100 or fewer."),
        ({"name": 7}, "The name must be text, not 7."),
        ({"gpus": True}, "The GPUs must be a whole number like 4, not True."),
        ({"gpus": 1001}, "The GPUs cannot be 1001. Ask for 0 to 1000."),
        ({"gpu_type": "a b"}, "The type of GPU 'a b' is not a word."),
        ({"nodes": 0}, "The nodes cannot be 0."),
        ({"mail": "often"}, "An e-mail can be sent at start, end, start-and-end, not at 'often'."),
        ({"account": "a b"}, "The account 'a b' is not an account's name."),
        ({"account": "-x"}, "The account '-x' is not an account's name."),
        ({"native": ["-l x=y"]}, "The native options of Tool is set"),
        ({"native": ["-l x=y;rm"]}, "'-l x=y;rm' is not an option of the batch system."),
        ({"fields": 1}, "The fields must be an object"),
        ({"fields": {"x": 1}}, "Tool has no field 'x'. It has none."),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(limited: App, given: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        forms.job_spec(limited, given)
    assert caught.value.message.startswith(words)
    assert len(caught.value.message) < 300


def test_a_whole_spec_may_be_repeated_as_it_was(limited: App, user: Path) -> None:
    spec = forms.job_spec(limited, {"cores": 4, "name": "again"})
    assert forms.job_spec(limited, json.loads(json.dumps(spec.to_json()))) == spec


def test_what_the_app_file_fixes_cannot_be_chosen_but_repeated(user: Path) -> None:
    app = app_of(user, TOOL + "form: {walltime: false, name: false}\n")
    assert forms.job_spec(app, {"walltime": "08:00:00", "name": "tool"}) == JobSpec("tool")
    for given_spec in ({"walltime": "07:00:00"}, {"name": "mine"}):
        with pytest.raises(BadRequest, match=r"of Tool is set by its app file and cannot be chosen\. Leave it out\."):
            forms.job_spec(app, given_spec)
    free = ["queue", "cores", "memory", "gpus", "gpu_type", "account", "nodes", "mail"]
    assert list(form_schema.form(app)["properties"]) == free


@settings(max_examples=400, deadline=None)
@given(spec=st.dictionaries(st.sampled_from(list(JobSpec.__dataclass_fields__)) | st.text(max_size=5), VALUES))
def test_any_json_is_a_spec_or_a_bad_request(spec: dict[str, Any]) -> None:
    app = App("t", "T", "T", "O", Path("/i.svg"), "gui", ("t",))
    if error := refusal(lambda: forms.job_spec(app, spec)):
        assert isinstance(error, BadRequest)
        assert error.message.isprintable()
        return
    found = forms.job_spec(app, spec)
    assert found.memory_bytes >= 256 << 20
    assert found.walltime_s >= 60
    assert JobSpec.from_json(found.to_json()) == found


# ---------------------------------------------------------------------- what is told of an app


def test_an_app_is_described_with_all_that_a_front_door_needs(limited: App) -> None:
    told = Catalogue([]).describe(limited, available=False, reason="It is not here.", icon_url="/icon")
    assert set(told) == {
        *("name", "title", "description", "category", "icon", "kind", "available", "reason"),
        *("takes_command", "resources", "form"),
    }
    assert (told["available"], told["reason"], told["icon"]) == (False, "It is not here.", "/icon")
    json.dumps(told)


def test_the_form_shows_defaults_and_limits(limited: App) -> None:
    form = form_schema.form(limited)
    Draft202012Validator.check_schema(form)
    fields = form["properties"]
    free = ["name", "queue", "cores", "memory", "walltime", "gpus", "gpu_type", "account", "nodes", "mail"]
    assert list(fields) == free
    assert {key: fields[key]["default"] for key in fields} == {
        **{"gpus": 1, "gpu_type": None, "account": None, "nodes": 1, "mail": None},
        "name": "tool",
        "cores": 2,
        "memory": "2GB",
        "walltime": "01:30:00",
        "queue": "batch",
    }
    assert (fields["cores"]["minimum"], fields["cores"]["maximum"]) == (2, 8)
    assert (fields["memory"]["x-minimum"], fields["memory"]["x-maximum"]) == ("256MB", "8GB")
    assert fields["walltime"]["x-maximum"] == "24:00:00"
    assert fields["queue"]["enum"] == ["batch", "short"]


def test_the_form_of_one_app_is_not_that_of_another(limited: App) -> None:
    assert form_schema.form(limited)["properties"]["cores"]["maximum"] == 8
    assert form_schema.form(Catalogue([]).get("xterm"))["properties"]["cores"]["maximum"] == checks.MAX_CORES


def test_without_a_queue_of_its_own_the_form_lets_the_batch_system_choose(user: Path) -> None:
    app = app_of(user, TOOL + "form: {queue: {choices: [a, b]}}\n")
    assert form_schema.form(app)["properties"]["queue"]["enum"] == [None, "a", "b"]
    assert forms.job_spec(app, {"queue": None}).queue is None


# ---------------------------------------------------------------------- the schema and its documentation


def places(rules: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key that an app file may have, dotted, with its rules."""
    for key, inner in rules.get("properties", {}).items():
        yield prefix + key, inner
        yield from places(inner, f"{prefix}{key}.")


def documented() -> dict[str, tuple[str, str]]:
    """(example, meaning) of each key in the table of docs/apps.md."""
    rows = re.findall(r"^\| `([a-z_.]+)` \| `(.+?)` \|.*?\| (.+?) \|$", DOCS.read_text(), re.M)
    return {key: (example, meaning) for key, example, meaning in rows}


def nested(key: str, value: Any) -> dict[str, Any]:
    """`a.b` and a value as `{a: {b: value}}`."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return dict(value)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


def test_every_key_is_documented_with_an_example_and_no_other() -> None:
    assert set(documented()) == {key for key, _ in places(schema())}


@pytest.mark.parametrize("key", sorted(documented()))
def test_the_example_of_every_key_is_right(user: Path, key: str) -> None:
    (user / "icons").mkdir()
    (user / "icons" / "rstudio.svg").write_text(ICON)
    parts = key.split(".")
    lines = [f"{'  ' * depth}{part}:" for depth, part in enumerate(parts)]
    path = put(user, "tool", "\n".join(lines) + f" {documented()[key][0]}\n")
    assert read_app_file(path).data
    for example in dict(places(schema()))[key]["examples"]:
        path.write_text(json.dumps(nested(key, example)))
        assert read_app_file(path).data == nested(key, example)


def test_every_rule_of_the_schema_can_be_explained() -> None:
    def rules_of(rules: Any) -> Iterator[dict[str, Any]]:
        if isinstance(rules, dict):
            if isinstance(rules.get("type"), str | list) or "enum" in rules or "$ref" in rules:
                yield rules
            for inner in rules.values():
                yield from rules_of(inner)

    definitions = schema()["$defs"]
    for rules in rules_of(schema()["properties"]):
        merged = {**definitions.get(rules.get("$ref", "").removeprefix("#/$defs/"), {}), **rules}
        assert merged["description"]
        assert merged["examples"]


def test_the_files_in_the_documentation_work(site: Path, user: Path) -> None:
    (user / "icons").mkdir()
    (user / "icons" / "gimp.svg").write_text(ICON)
    found = re.findall(r"^`(\S+)/(\w+)\.yaml`.*?```yaml\n(.*?)```", DOCS.read_text(), re.M | re.S)
    assert [name for _, name, _ in found] == ["gimp", "rstudio", "firefox", "fiji", "xfce"]
    for folder, name, text in found:
        put(user if folder.startswith("~") else site, name, text)
    merged = Catalogue([site, user])
    assert not merged.problems
    gimp = merged.get("gimp")
    assert merged.job_spec(gimp, {}) == JobSpec("gimp", memory="4GB", walltime="12:00:00")
    assert gimp.setup.count("\n") == 2
    assert merged.get("rstudio").resources["memory"] == "8GB"
    assert merged.get("firefox").command == ("firefox", "--no-remote")
    assert merged.get("fiji").requires == ("ImageJ-linux64",)
    assert {app.name for app in merged.apps()} == (SHIPPED - {"xfce"}) | {"gimp"}


def test_native_options_and_words_mean_here_what_they_mean_to_job_scripts() -> None:
    rules = schema()["properties"]["resources"]["properties"]
    native = rules["native"]["items"]["pattern"]
    for text in (
        "-l feature=fast",
        "-r n",
        "-h",
        "--exclusive",
        "--gres=gpu:1",
        "-p short",
        "-l",
        "--a b",
        "!-l mem",
        "!--mem",
        "!-q",
    ):
        assert re.search(native, text)
        assert directives.OPTION.fullmatch(text)
    for text in (
        "x",
        "-l a;b",
        "-l $(x)",
        "-l a\n",
        "--x\ny",
        "- l",
        "--",
        "-l 'a'",
        "!",
        "!mem",
        "!-l",
        "!-l mem=1gb",
        "!--mem=1G",
        "!!--mem",
    ):
        assert not re.search(native, text)
        assert not directives.OPTION.fullmatch(text)
    account = schema()["$defs"]["account"]["pattern"]
    assert re.search(account, "project42")
    for text in ("a b", "a\n", "-a", "$(x)", ""):
        assert not re.search(account, text)
        assert not directives.WORD.fullmatch(text)
