"""What may be wrong with a node, a program or a login shell: told in a word that helps, or overcome."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from tests.support.deadline import eventually
from tests.support.script_run import ScriptRun, app


@pytest.fixture
def run(tmp_path: Path) -> ScriptRun:
    return ScriptRun(tmp_path)


def test_a_missing_program_is_named_before_anything_opens(run: ScriptRun) -> None:
    with run.by_hand(app("no-such-program", "--x")):
        end = run.ended()
        node = os.uname().nodename
        assert end["reason"] == "app-missing"
        assert end["message"] == (
            f"The program `no-such-program` was not found on node {node}. Ask your administrator to install it there, "
            "or choose another queue."
        )
        assert run.exit_status() == 127
        assert not run.living()


def test_a_required_program_is_looked_for_too(run: ScriptRun) -> None:
    with run.by_hand(app("xterm", "-e", "no-such-thing", requires=("xterm", "no-such-thing"))):
        assert "`no-such-thing` was not found" in run.ended()["message"]


def test_a_program_that_the_setup_brings_is_found(run: ScriptRun, tmp_path: Path) -> None:
    tool = tmp_path / "opt/bin/brought"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\nexit 3\n")
    tool.chmod(0o755)
    with run.by_hand(app("brought", setup=f"export PATH={tool.parent}:$PATH")):
        assert run.ended()["exit_status"] == 3


@pytest.mark.parametrize(
    "setup", ["module load nothing-like-this", "false\ntrue", "exit 0", "exit 4", "if then", "cd /nowhere\necho on"]
)
def test_a_setup_that_fails_is_told_as_such(run: ScriptRun, setup: str) -> None:
    with run.by_hand(app(setup=setup)):
        end = run.ended()
        assert end["reason"] == "setup-failed", end
        assert not run.text("connection.json")
        assert run.exit_status() == 70


def test_a_node_without_xpra_says_so(run: ScriptRun, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in Path("/usr/bin").iterdir():
        if tool.name != "xpra":
            (tools / tool.name).symlink_to(tool)
    run.env["PATH"] = str(tools)
    with run.by_hand(app()).change("qc_path=/usr/local/bin:/usr/bin:/bin", f"qc_path={tools}"):
        end = run.ended()
        assert end["reason"] == "xpra-missing"
        assert end["message"].startswith(f"xpra is not installed on node {os.uname().nodename}. Ask your administrator")
        assert run.exit_status() == 127


def test_an_xpra_that_could_show_no_window_says_so(run: ScriptRun) -> None:
    with run.by_hand(app()).change("import PIL.Image", "import no_such_library"):
        end = run.ended()
        assert end["reason"] == "tool-missing"
        assert "lacks the Python library PIL" in end["message"]


def test_a_node_without_openssl_says_so(run: ScriptRun) -> None:
    with run.by_hand(app()).change("for tool in openssl", "for tool in openssl-like-none"):
        assert run.ended()["reason"] == "tool-missing"


def test_logs_are_live_and_bounded_and_the_program_never_stops_for_them(run: ScriptRun) -> None:
    flood = (
        "echo first; : >said; head -c 9000000 /dev/zero | tr '\\0' 'x'; echo; echo last; : >flooded; exec sleep 1000"
    )
    with run.by_hand(app("bash", "-c", flood)):
        run.ready()
        eventually((run.home / "said").exists, what="the first word")
        eventually((run.home / "flooded").exists, what="the flood")
        eventually(lambda: run.text("app.log").endswith("last\n"), what="the last word")
        sizes = [path.stat().st_size for path in run.folder.glob("app.log*")]
        assert sum(sizes) <= 4 << 20
        assert len(sizes) == 2


def test_a_full_disk_for_logs_does_not_stop_the_program(run: ScriptRun) -> None:
    with run.by_hand(app("bash", "-c", "echo x; sleep 0.3; echo y || exit 9; exit 5")).change(
        'exec cat >"$1")', "exec cat >/dev/full)"
    ):
        assert run.ended()["exit_status"] == 5


def test_a_login_shells_noise_does_no_harm(run: ScriptRun, tmp_path: Path) -> None:
    (tmp_path / "env.sh").write_text("echo noise; set -u; alias ls=false; IFS=:\n")
    run.env |= {
        "BASH_ENV": str(tmp_path / "env.sh"),
        "BASH_FUNC_mktemp%%": "() { exit 9; }",
        "BASH_FUNC_openssl%%": "() { exit 9; }",
        "POSIXLY_CORRECT": "1",
        "PYTHONHOME": "/nope",
        "PYTHONPATH": "/nope",
        "LD_LIBRARY_PATH": "/nope",
        "http_proxy": "http://127.0.0.1:1",
        "https_proxy": "http://127.0.0.1:1",
        "CURL_HOME": str(tmp_path),
        "OPENSSL_CONF": "/nope",
        "TMOUT": "1",
        "TMPDIR": "/nope",
        "IFS": "x",
        "LC_ALL": "de_DE.UTF-8",
        "XDG_RUNTIME_DIR": "/nope",
        "CDPATH": "/tmp",
        "GREP_OPTIONS": "-v",
        "DISPLAY": ":0",
    }
    (tmp_path / ".curlrc").write_text("fail-early\nproxy=127.0.0.1:1\n")
    with run.by_hand(app("bash", "-c", "sleep 3; exit 6")):
        connection = run.ready()
        assert connection["display"] != ":0"
        assert run.ended()["exit_status"] == 6


def test_our_own_work_at_the_start_is_short(run: ScriptRun) -> None:
    """Processor time of both shells and of the tools that they waited for, at best of three."""
    spent = []
    for _ in range(3):
        one = ScriptRun(run.home.parent)
        with one.by_hand(app("bash", "-c", "exec sleep 1000")):
            one.ready()
            assert one.process
            shells = [psutil.Process(pid).cpu_times() for pid in (one.process.pid, one.pid("supervisor"))]
            spent.append(sum(sum(times[:4]) for times in shells))
    assert min(spent) < 1.0, spent  # 0.5 s measured with eight times the load that two cores can carry
