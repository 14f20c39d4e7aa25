"""Starting a session with real xpra: where it listens, what the program gets, which xpra gets which options."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qconnect_web.values.job import JobSpec
from qconnect_web.values.session import Connection, Record
from tests.support.deadline import eventually
from tests.support.ports import own_port
from tests.support.script_run import SYSTEM_PATH, ScriptRun, app, ask, client_context


@pytest.fixture
def run(tmp_path: Path) -> ScriptRun:
    return ScriptRun(tmp_path)


def test_a_session_started_by_hand_opens_and_writes_its_own_record(run: ScriptRun) -> None:
    with run.by_hand(app(), JobSpec(name="my $(id) 'x'", memory="2GB")):
        connection = Connection.from_json(run.ready())
        record = Record.from_json(run.read("session.json") or {})
        assert run.folder.name == f"job-{run.job}"
        assert (record.key, record.job_id, record.app) == (run.folder.name, run.job, "probe")
        assert (record.spec.name, record.spec.memory, record.command) == ("my $(id) 'x'", "2GB", ("xterm",))
        assert abs(record.created - connection.time) < 30
        assert connection.run == run.text("run").strip()
        assert connection.xpra == "3.1.3"
        assert connection.port == 20000 + int(run.job.partition(".")[0]) % 10000
        assert connection.display == ":" + run.job.partition(".")[0]


@contextmanager
def squatter(port: int) -> Iterator[list[bytes]]:
    """Somebody else's listener; collects the bytes that it is sent."""
    heard: list[bytes] = []
    with socket.create_server(("", port)) as server:

        def serve() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                with caller:
                    caller.settimeout(2)
                    heard.append(caller.recv(4096))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield heard
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(10)


@pytest.mark.parametrize("seen", [True, False])
def test_a_taken_port_gets_no_byte_and_the_session_moves_on(run: ScriptRun, seen: bool) -> None:
    run.by_hand(app())
    if not seen:  # the squatter came between our look and xpra's start: xpra itself fails to listen, and goes on
        run.change("|| ! qc_port_taken; then", "|| true; then").change("for ((round = 1;", "for ((round = 2;")
    taken = 20000 + int(run.job.partition(".")[0]) % 10000
    with squatter(taken) as heard, run:
        connection = run.ready(60)
        assert connection["port"] != taken
        assert 20000 <= connection["port"] < 30000
        assert ask(connection["port"], client_context(run.folder, run.folder / "client.pem"))
        assert heard == []


def test_without_the_look_at_the_listener_a_squatter_would_be_spoken_to(run: ScriptRun) -> None:
    run.by_hand(app()).change("|| ! qc_port_taken; then", "|| true; then")
    run.change("qc_listeners_are_ours || return 1", "return 0")
    with squatter(20000 + int(run.job.partition(".")[0]) % 10000) as heard, run:
        assert run.ended()["reason"] == "not-ready"
        assert heard != []


def test_without_any_free_port_it_says_so(run: ScriptRun) -> None:
    port = own_port()
    with squatter(port), run.tagged(app(), port_base=port, port_range=1):
        end = run.ended()
        assert end["reason"] == "port-unavailable"
        assert "Start the session again" in end["message"]


@pytest.mark.parametrize("number", ["1", "51036", "4294967", "2147483647", "9999999999"])
def test_any_job_id_gives_a_display_and_a_port(tmp_path: Path, number: str) -> None:
    run = ScriptRun(tmp_path, f"{number}.srv").by_hand(app())
    with run:
        connection = run.ready()
        display = int(connection["display"][1:])
        assert 0 <= display <= 2147483647
        assert 20000 <= connection["port"] < 30000


def test_elements_of_a_job_array_step_aside(tmp_path: Path) -> None:
    number = os.getpid() + 70_000_000
    first, second = (ScriptRun(tmp_path, f"{number}[{index}].srv").by_hand(app()) for index in (1, 2))
    with first, second:
        found = [first.ready(), second.ready()]
        assert first.folder != second.folder
        displays = {one["display"] for one in found}
        assert f":{number}" in displays
        assert len(displays) == 2
        assert found[0]["port"] != found[1]["port"]


def test_after_a_taken_display_none_that_a_neighbour_could_foresee_is_taken(run: ScriptRun) -> None:
    number = int(run.job.partition(".")[0])
    with ExitStack() as held:
        for display in range(number, number + 25):  # a neighbour has it, and all that come next
            server = held.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(f"\0/tmp/.X11-unix/X{display}")
            server.listen()
        with run.by_hand(app()):
            display = int(run.ready(60)["display"][1:])
            assert not number <= display < number + 25
            assert run.text("job.log").count("cannot be used (try ") == 1


def test_the_program_gets_the_users_environment_and_nothing_of_ours(run: ScriptRun) -> None:
    show = "env -0 >env; pwd >cwd; grep SigIgn /proc/self/status >ignored; ls -l /proc/self/fd >fds; exec sleep 60"
    program = run.home / "bin" / "show"
    program.parent.mkdir()
    program.write_text(f"#!/bin/bash\n{show}\n")
    program.chmod(0o755)
    run.env |= {
        "PATH": f"/nowhere:{SYSTEM_PATH}:{program.parent}",
        "PYTHONHOME": "/nope",
        "LC_ALL": "C.UTF-8",
        "TMOUT": "1",
        "SSL_CERT_FILE": "/site/ca.pem",
        "BASH_FUNC_module%%": "() { export LOADED=$2; }",
        "WAYLAND_DISPLAY": "wayland-0",
        "qc_d": "mine",
        "RUN": "five",
    }
    with run.by_hand(app("show", setup="module load thing\nexport TWO='2 words'")):
        connection = run.ready()
        text = eventually(
            lambda: (run.home / "fds").exists() and (run.home / "env").read_text(), what="the environment"
        )
        found = dict(entry.partition("=")[::2] for entry in text.split("\0") if entry)
        for name in ("PATH", "PYTHONHOME", "LC_ALL", "TMOUT", "SSL_CERT_FILE", "RUN", "PBS_JOBID", "HOME"):
            assert found[name] == run.env[name]
        assert (found["LOADED"], found["TWO"], found["QCONNECT"]) == ("thing", "2 words", "gui")
        assert found["DISPLAY"] == connection["display"]
        assert found["XAUTHORITY"] == f"{run.runtime}/Xauthority"
        assert "WAYLAND_DISPLAY" not in found
        assert "BASH_FUNC_module%%" in found
        assert str(run.folder) not in text
        assert (run.home / "cwd").read_text().strip() == str(run.home)
        assert int((run.home / "ignored").read_text().split()[1], 16) & 0b111 == 0  # HUP, INT, QUIT
        fds = (run.home / "fds").read_text()
        assert "fifo" not in fds
        assert str(run.runtime) not in fds


def test_an_opengl_app_gets_glx(run: ScriptRun) -> None:
    with run.by_hand(app(opengl=True)):
        run.ready()
        assert "+extension GLX" in " ".join(psutil.Process(run.pid("xvfb")).cmdline())


def test_a_desktop_runs_in_xpras_desktop_mode(run: ScriptRun) -> None:
    with run.by_hand(app(kind="desktop")):
        connection = run.ready()
        assert "start-desktop" in psutil.Process(run.pid("xpra")).cmdline()
        assert psutil.Process(run.pid("app")).name() == "dbus-run-session"
        assert ask(connection["port"], client_context(run.folder, run.folder / "client.pem"))


def test_an_option_that_this_xpra_does_not_know_is_left_out(run: ScriptRun) -> None:
    with run.by_hand(app()).change("--daemon=no ", "--daemon=no --no-such-thing=1 --also-unknown=no "):
        run.ready()
        assert "does not know --no-such-thing: left out" in run.text("job.log")
        assert "does not know --also-unknown: left out" in run.text("job.log")


def test_an_unknown_option_about_access_is_never_left_out(run: ScriptRun) -> None:
    with run.by_hand(app()).change("--ssl=on ", "--ssl=on --ssl-newer-check=yes "):
        assert run.ended()["reason"] == "not-ready"


def test_it_needs_no_privilege() -> None:
    """The other tests may run as root; this one is then `nobody`, in a folder that it can reach."""
    if os.getuid():
        pytest.skip("every other test is this one: it runs as an ordinary user already")
    with tempfile.TemporaryDirectory(prefix="qc-nobody-") as place:
        Path(place).chmod(0o755)
        run = ScriptRun(Path(place))
        run.user = 65534
        os.chown(run.home, run.user, run.user)
        with run.by_hand(app()):
            connection = run.ready()
            assert psutil.Process(run.pid("app")).uids().effective == run.user
            run.cancel()
            assert run.ended()["reason"] == "cancelled"
            eventually(
                lambda: not run.leftovers(connection["display"], run.runtime),
                what="everything to be gone",
            )


OPTIONS = {
    # version: (what the option tables of that version have, what they lack), xpra-newer.md section 5
    301: ({"--dbus-proxy=no"}, {"--dbus=no", "--http-scripts=Status", "--video=no", "--gstreamer=no", "--splash=no"}),
    404: ({"--dbus-proxy=no", "--http-scripts=Status"}, {"--dbus=no", "--video=no", "--gstreamer=no"}),
    501: ({"--dbus-proxy=no", "--http-scripts=Status"}, {"--dbus=no", "--video=no", "--gstreamer=no"}),
    600: ({"--http-scripts=Status", "--video=no"}, {"--dbus-proxy=no", "--dbus=no", "--gstreamer=no"}),
    605: ({"--http-scripts=Status", "--video=no", "--dbus=no", "--gstreamer=no"}, {"--dbus-proxy=no"}),
    9900: ({"--http-scripts=Status", "--video=no", "--dbus=no", "--gstreamer=no"}, {"--dbus-proxy=no"}),
}


@pytest.mark.parametrize("version", OPTIONS)
def test_each_xpra_gets_the_options_that_it_knows(version: int) -> None:
    library = Path(__file__).parents[2] / "jobscripts/display.sh"
    script = f'. {library}; qc_dropped=" "; qc_xpra_number={version}; qc_choose_options; echo "${{qc_options[*]}}"'
    done = subprocess.run(["bash", "-pc", script], capture_output=True, text=True, timeout=20, check=True)
    given, (known, unknown) = set(done.stdout.split()), OPTIONS[version]
    assert known <= given
    assert not unknown & given
    assert {"--start-new-commands=no", "--mdns=no", "--ssh-upgrade=no", "--rfb-upgrade=0", "--html=on"} <= given


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=30), min_size=10, max_size=20))
def test_any_text_becomes_valid_json(texts: list[str]) -> None:
    texts = [text.replace("\0", "") for text in texts]
    library = Path(__file__).parents[2] / "jobscripts/words.sh"
    script = f'. {library}; for text; do qc_json "$text"; echo "$qc_text"; done'
    done = subprocess.run(
        ["bash", "-pc", script, "bash", *texts], env={"LC_ALL": "C"}, capture_output=True, timeout=20, check=True
    )
    shown = [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]
    assert shown == [re.sub("[\x01-\x1f\x7f]", " ", text) for text in texts]
