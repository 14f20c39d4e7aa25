"""Manual page and completions: made from the options, kept in the repository, current, and they work."""

from __future__ import annotations

import re
import shlex
import subprocess

import pexpect
import pytest
from traitlets.config import Config

from qconnect_web.cli.exits import Exit
from qconnect_web.cli.manual import EXAMPLES, documents, exit_lines
from qconnect_web.cli.options import parser
from qconnect_web.config import QConnect
from tests.cli.command_line import QCONNECT, CommandLine
from tests.support.servers import REPOSITORY


@pytest.mark.unit
@pytest.mark.parametrize("name", list(documents()))
def test_the_kept_documents_are_current(name: str) -> None:
    kept = (REPOSITORY / name).read_text()
    assert kept == documents()[name], "run: python -m qconnect_web.cli.manual"


@pytest.mark.unit
def test_the_manual_has_every_option_and_status() -> None:
    text = documents()["share/man/man1/qconnect.1"].replace("\\-", "-")
    for action in parser()._actions:
        for option in action.option_strings:
            assert option in text
    assert [status for status, _ in exit_lines()] == [status.value for status in Exit]
    assert "qguiconnect" not in text


@pytest.mark.unit
def test_the_manuals_examples_are_commands() -> None:
    for line, _ in EXAMPLES:
        name, *argv = shlex.split(line)
        assert name == "qconnect"
        parser().parse_args(argv)


@pytest.mark.unit
def test_the_manual_is_clean() -> None:
    """groff, where there is one, has nothing to complain about."""
    page = REPOSITORY / "share/man/man1/qconnect.1"
    lines = page.read_text().splitlines()
    assert not [line for line in lines if line.startswith(("'", ".")) and not re.match(r"\.(TH|SH|TP|PP|B)\b", line)]


def test_bash_completes_options_and_job_ids(full_cli: CommandLine) -> None:
    job_id = full_cli.start("--app", "xterm")
    script = REPOSITORY / "share/bash-completion/completions/qconnect"

    def completed(*words: str) -> list[str]:
        line = " ".join(["qconnect", *words])
        quoted = " ".join(f"'{word}'" for word in ["qconnect", *words])
        code = (
            f"PATH={QCONNECT.parent}:$PATH; . {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; "
            f"COMP_LINE='{line}'; COMP_POINT={len(line)}; $(complete -p qconnect | sed 's/.*-F //; s/ .*//'); "
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "-c", code], env=full_cli.environment(), capture_output=True, text=True, timeout=60
        )
        return done.stdout.split()

    assert "--connect-gui" in completed("--conn")
    assert completed("--stop", job_id[:1]) == [job_id]
    assert "xterm" in completed("--app", "xt")


def test_zsh_completes_options_and_job_ids(full_cli: CommandLine) -> None:
    """In its line editor, as people have it: what stands on the line after Tab."""
    job_id = full_cli.start("--app", "xterm")
    environment = full_cli.environment(TERM="dumb", ZDOTDIR=str(full_cli.home))
    shell = pexpect.spawn("zsh", ["-f", "-i"], env=environment, encoding="utf-8", timeout=30, dimensions=(24, 200))
    shell.sendline(f"fpath=({REPOSITORY / 'share/zsh/site-functions'} $fpath); autoload -U compinit; compinit -u -D")
    shell.sendline("PROMPT='READY> '; echo prompt-$((40+2))")
    shell.expect_exact("prompt-42")
    lines = [("--conn", "--connect-gui "), ("--app xt", "--app xterm "), (f"--stop {job_id[:1]}", f"--stop {job_id} ")]
    for typed, completed in [*lines, ("--app xterm --cr", "--app xterm --create ")]:
        shell.expect_exact("READY> ")
        shell.send(f"qconnect {typed}\t")
        shell.expect_exact(completed)
        shell.send("\x15\r")  # an empty line; Ctrl-C would throw away what the terminal has not given yet
    shell.close(force=True)


@pytest.mark.unit
def test_the_wheel_installs_them() -> None:
    data = (REPOSITORY / "pyproject.toml").read_text().partition("wheel.shared-data]")[2].partition("[tool.")[0]
    installed = re.findall(r'^"(share/[^"]+)" = "\1"$', data, re.M)
    for name in documents():
        assert any(name.startswith(f"{folder}/") for folder in installed)


def test_a_configuration_file_has_every_setting_and_changes_nothing(cli: CommandLine) -> None:
    done = cli.run("--generate-config")
    assert (done.returncode, done.stderr) == (0, "")
    assert not [name for name in QConnect.class_own_traits(config=True) if f"# c.QConnect.{name} = " not in done.stdout]
    config = Config()
    exec(done.stdout, {"get_config": lambda: config})  # noqa: S102 - as Jupyter does with such a file
    assert config == {}
