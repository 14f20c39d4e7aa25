"""Each block of code in the documentation is what it says: it is loaded, or parsed by what would read it."""

from __future__ import annotations

import ast
import contextlib
import json
import re
import shlex
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from traitlets import TraitError
from traitlets.config import Config, PyFileConfigLoader

from qconnect_web.apps.catalogue import Catalogue
from qconnect_web.cli import parser
from qconnect_web.config import QConnect
from tests.support.doc_blocks import ROOT, Block, blocks

pytestmark = pytest.mark.unit
SHIPPED = ROOT / "apps"
CONFIGURED = {
    "QConnect": "qconnect_web.config:QConnect",
    "ServerApp": "jupyter_server.serverapp:ServerApp",
    "JupyterHub": "jupyterhub.app:JupyterHub",
    "Authenticator": "jupyterhub.auth:Authenticator",
    "Spawner": "jupyterhub.spawner:Spawner",
}
"""The classes that the documentation sets, and where they are."""
READ_BY_OTHERS = {"", "apache", "ini", "nginx", "text", "toml"}
"""What programs of others read: tests that run those take it from there. `text` is for people."""
PARSED = {"bash", "console", "json", "python", "yaml"}


def each(*languages: str) -> pytest.MarkDecorator:
    found = list(blocks(*languages))
    assert found
    return pytest.mark.parametrize("block", found, ids=[block.place for block in found])


def is_config(block: Block) -> bool:
    return re.search(r"^c\.\w+\.\w+ = ", block.text, re.M) is not None


def test_no_block_is_in_a_language_that_nothing_looks_at() -> None:
    assert {block.language for block in blocks()} <= PARSED | READ_BY_OTHERS


@each("json")
def test_lines_of_json_are_json(block: Block) -> None:
    for line in block.text.splitlines():
        json.loads(line)


def settings_of(block: Block, folder: Path) -> Config:
    (folder / "config.py").write_text(block.text, encoding="utf-8")
    return PyFileConfigLoader("config.py", path=str(folder)).load_config()


def check_settings(config: Config) -> None:
    """Raises when a setting is not there, or does not take its value."""
    for name, section in config.items():
        module, _, kind = CONFIGURED[name].partition(":")
        cls = getattr(import_module(module), kind)
        assert set(section) <= set(cls.class_traits(config=True)), (name, section)
    QConnect(config=config)


@each("python")
def test_settings_are_there_and_take_these_values(block: Block, tmp_path: Path) -> None:
    if is_config(block):
        check_settings(settings_of(block, tmp_path))
    else:
        ast.parse(block.text)


@pytest.mark.parametrize("line", ["c.QConnect.schedular = 'slurm'", "c.QConnect.scheduler = 'lsf'", "c.Nobody.x = 1"])
def test_a_wrong_setting_would_be_noticed(line: str, tmp_path: Path) -> None:
    block = Block("here", "python", f"{line}\n", "")
    assert is_config(block)
    with pytest.raises((AssertionError, KeyError, TraitError)):
        check_settings(settings_of(block, tmp_path))


def app_problems(block: Block, folder: Path) -> list[str]:
    """What the catalogue says of an app file under the name that stands before it, over the shipped ones."""
    site = folder / "site"
    shutil.copytree(SHIPPED / "icons", site / "icons")
    named = re.findall(r"`[\w~./-]*?/([\w.-]+)\.yaml`", block.before)
    for icon in re.findall(r"^icon: (\S+)", block.text, re.M):
        shutil.copy(SHIPPED / "icons/app.svg", site / icon)
    (site / f"{named[-1]}.yaml").write_text(block.text, encoding="utf-8")
    return Catalogue([SHIPPED, site]).problems


@each("yaml")
def test_an_app_file_is_one_and_other_yaml_is_yaml(block: Block, tmp_path: Path) -> None:
    assert yaml.safe_load(block.text)
    if re.search(r"`[\w~./-]*/apps/[\w.-]+\.yaml`", block.before):
        assert app_problems(block, tmp_path) == []


def test_a_wrong_app_file_would_be_noticed(tmp_path: Path) -> None:
    block = Block("here", "yaml", "titel: RStudio\n", "`/etc/qconnect/apps/rstudio.yaml`:")
    assert app_problems(block, tmp_path)


def test_the_documentation_has_app_files_and_settings() -> None:
    assert len([block for block in blocks("yaml") if "/apps/" in block.before]) > 10
    assert len([block for block in blocks("python") if is_config(block)]) > 10


def words(command: str) -> list[str]:
    """Of a command, up to what a shell would make of the rest: a pipe, a redirection, the next command."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[str] = []
    for word in lexer:
        if set(word) <= set("();<>|&"):
            break
        found.append(word)
    return found


def complaint(command: str) -> str | None:
    """What is wrong with a command that is ours: an option, a target or a script that is not there."""
    with contextlib.suppress(ValueError):
        program, *arguments = words(command) or [""]
        if program == "qconnect":
            try:
                parser().parse_args(arguments)
            except SystemExit as stopped:
                return f"qconnect refuses it: {command}" if stopped.code else None
        if program == "make" and not re.search(rf"^{arguments[0]}:", (ROOT / "Makefile").read_text(), re.M):
            return f"make knows no {arguments[0]}"
        if (program, *arguments[:1]) == ("npm", "run"):
            scripts = json.loads((ROOT / "package.json").read_text())["scripts"]
            return None if arguments[1] in scripts else f"npm knows no {arguments[1]}"
    return None


@each("bash", "console")
def test_commands_are_bash_and_ours_have_these_options(block: Block) -> None:
    text = "\n".join(block.commands()) if block.language == "console" else block.text
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert [said for said in map(complaint, block.commands()) if said] == []


@pytest.mark.parametrize("command", ["qconnect --no-such-option", "make nonsense", "npm run nonsense"])
def test_a_wrong_command_would_be_noticed(command: str) -> None:
    assert complaint(command)
