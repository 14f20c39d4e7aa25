"""What is listed, ended and printed; and how little the batch system is asked for it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from qconnect_web.models import JobSpec, Record
from qconnect_web.store import Store
from tests.cli.desk import QCONNECT, SMALL, Desk, cpu_of
from tests.servers import JupyterServer

QUICK_S = 0.5
HELP_S = 0.3


def test_nothing_is_there_at_first(desk: Desk) -> None:
    done = desk.run("-l")
    assert (done.returncode, done.stdout) == (0, "No running jobs\n")
    assert "qconnect -g" in done.stderr


def test_a_list_says_what_the_ancestors_said(desk: Desk) -> None:
    terminal, window = desk.ready("-n", "mine"), desk.ready("--app", "xterm")
    head, first, second = desk.run("-l").stdout.splitlines()
    assert head.split() == ["Job_ID", "Job_Name", "Job_Type", "Queue", "Node", "State", "Left"]
    assert first.split()[:4] == [terminal, "mine_int_tmux", "tmux", "local"]
    assert second.split()[:4] == [window, "xterm_int_gui", "gui", "local"]
    assert "READY" in first
    assert desk.run("--stop", window).returncode == 0
    desk.await_state(window, "ENDED")
    assert window not in desk.run("-l").stdout
    assert window in desk.run("-l", "-a").stdout


def test_a_job_is_known_by_its_tag_and_not_by_its_name(desk: Desk) -> None:
    """A name like a session's, in a job that is none, lists nothing; a session with any name is listed."""
    import asyncio

    spec = JobSpec("interactXYZ_int_tmux", memory="256MB", walltime="00:05:00")
    stranger = asyncio.run(desk.scheduler.submit("#!/bin/bash\nsleep 300\n", spec, session="", folder=desk.home))
    assert desk.run("-l").stdout == "No running jobs\n"
    mine = desk.start("--app", "xterm", "-n", "gui_int_vnc")
    assert mine in desk.run("-l").stdout
    assert stranger not in desk.run("-l").stdout
    asyncio.run(desk.scheduler.cancel(stranger))


def test_a_held_job_is_listed_and_waited_for(tmp_path: Path) -> None:
    desk = Desk(tmp_path, local_max_running=1)
    try:
        desk.ready("--app", "xterm")
        held = desk.start()
        desk.hold(held)
        desk.await_state(held, "HELD")
        child = desk.spawn()
        child.expect_exact(f"Connecting to session {held}")
        child.expect("HELD: The job is held")
        child.sendintr()
        child.expect_exact("goes on")
    finally:
        desk.close()


def test_the_address_is_that_of_a_running_server(desk: Desk) -> None:
    job_id = desk.start("--app", "xterm")
    assert desk.run("--url", job_id).stdout == f"/qconnect/{job_id}/\n"
    desk.server.start()
    found = desk.run("--url", job_id).stdout.strip()
    assert found == f"http://127.0.0.1:{desk.server.port}/qconnect/{job_id}/"
    assert desk.server.token not in found
    assert desk.run(job_id, "--url").stdout.strip() == found
    inside = desk.run("--url", job_id, JUPYTER_SERVER_URL="http://login:8888/user/me/").stdout
    assert inside == f"http://login:8888/user/me/qconnect/{job_id}/\n"


def test_what_would_be_submitted_is_printed_and_nothing_is(desk: Desk) -> None:
    done = desk.run(
        "-g", "gimp 'a $(touch x).png'", "-n", "my name", "-t", "2", "-m", "3", "--queue", "fast", "--script"
    )
    assert done.returncode == 0
    assert "#PBS -N my-name_gimp_int_gui" in done.stdout
    assert "#PBS -q fast" in done.stdout
    assert "#PBS -l nodes=1:ppn=2" in done.stdout
    assert "#PBS -l mem=3GB" in done.stdout
    assert "qc_command=('gimp' 'a $(touch x).png')" in done.stdout
    assert desk.run("--all").stdout == "No running jobs\n"
    job_id = desk.start("--app", "xterm")
    assert desk.run(job_id, "--script").stdout.startswith("#!/bin/bash -p\n#PBS -N xterm_int_gui\n")


def test_logs_are_printed_without_what_means_nothing(desk: Desk) -> None:
    job_id = desk.ready("--app", "xterm")
    (folder,) = desk.sessions_dir.glob("*/app.log")
    with folder.open("a") as log:
        log.write(
            'XIO:  fatal IO error 11 on X server ":1"\n'
            "      after 10 requests (9 known processed) with 0 events\nreal\n"
        )
    done = desk.run("--log", job_id)
    assert "run " in done.stdout
    assert "real" in done.stdout
    assert "XIO" not in done.stdout
    assert "known processed" not in done.stdout


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--app", "matlap"), "Did you mean 'matlab'"),
        (("-t", "0"), "cores"),
        (("-t", "100000000"), "cores"),
        (("-m", "0"), "memory"),
        (("-m", "four"), "is not a size"),
        (("-m", "1"), ""),
        (("--walltime", "soon"), "is not a time"),
        (("-l", "--apps"), "Only one of"),
        (("-g", "gimp", "--app", "xterm"), "not both"),
        (("--stop",), "Say which session"),
        (("--stop", "17"), "There is no session 17"),
        (("--connect-gui", "17"), "There is no session 17"),
    ],
)
def test_what_is_refused_says_why(busy_desk: Desk, argv: tuple[str, ...], words: str) -> None:
    done = busy_desk.run(*argv, *(("--script",) if argv[0] == "-m" and argv[1] == "1" else ()))
    assert done.returncode == (1 if words else 0)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_options_are_status_2(busy_desk: Desk) -> None:
    for argv in (("--no-such",), ("-t", "two")):
        done = busy_desk.run(*argv)
        assert (done.returncode, "usage:" in done.stderr) == (2, True)


def test_a_batch_system_that_is_down_is_no_traceback(desk: Desk) -> None:
    job_id = desk.start("--app", "xterm")
    jobs = desk.sessions_dir.parent / "local"
    jobs.rename(jobs.with_name("away"))
    jobs.write_text("not a folder")
    done = desk.run("-l")
    assert "Traceback" not in done.stderr
    assert job_id in done.stdout
    assert desk.run("-h").returncode == 0
    assert desk.run("-v").stdout.startswith("qconnect ")
    done = desk.run("--app", "xterm", "-c", *SMALL)
    assert done.returncode in (1, 10)
    assert "Traceback" not in done.stderr
    jobs.unlink()
    jobs.with_name("away").rename(jobs)


def test_fifty_sessions_are_listed_at_once(desk: Desk) -> None:
    store = Store(desk.sessions_dir)
    first = desk.start("--app", "xterm")
    pattern = store.read(store.list_keys()[0])
    assert pattern is not None
    for number in range(50):
        record: Record = replace(pattern.record, key=f"many{number}", job_id=f"{1000 + number}.local")
        store.create(record)
    took = min(cpu_of([str(QCONNECT), "-l"], desk.environment()) for _ in range(3))
    assert len(desk.run("-l").stdout.splitlines()) == 52
    assert took <= QUICK_S, f"{took:.2f} s"
    assert first in desk.run("-l").stdout


def test_help_costs_next_to_nothing(desk: Desk) -> None:
    took = min(cpu_of([str(QCONNECT), "-h"], desk.environment()) for _ in range(3))
    assert took <= HELP_S, f"{took:.2f} s"


def test_two_servers_and_the_command_see_each_other(desk: Desk, tmp_path: Path) -> None:
    other = JupyterServer(desk.home, config=desk.server.config)
    desk.server.start()
    other.start()
    try:
        job_id = desk.ready("--app", "xterm")

        def within(seconds: float, *wanted: str) -> None:
            began = time.monotonic()
            for server in (desk.server, other):
                server.wait_for(job_id, *wanted, timeout=seconds)
            assert desk.state(job_id) in wanted
            assert time.monotonic() - began < seconds + 2  # the command's own start

        within(5, "READY")
        assert other.request("POST", f"qconnect/api/sessions/{job_id}/stop").status == 200
        within(5, "ENDING", "ENDED")
        second = desk.server.launch()["id"]
        assert second in [session["id"] for session in json.loads(desk.run("-l", "--json").stdout)]
        assert desk.run("--stop", second).returncode == 0
        for server in (desk.server, other):
            server.wait_for(second, "ENDING", "ENDED", timeout=5)
    finally:
        other.stop()
