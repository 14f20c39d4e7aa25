"""What is listed, ended and printed; and how little the batch system is asked for it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qconnect_web.cli.exits import Exit
from qconnect_web.sessions.job_status import JobStatus, to_json
from qconnect_web.sessions.store import Store
from qconnect_web.values.job import Job, JobSpec, JobState
from qconnect_web.values.session import Record
from tests.cli.command_line import QCONNECT, SMALL, CommandLine, cpu_of
from tests.support.deadline import eventually

QUICK_S = 0.5
HELP_S = 0.3


@pytest.fixture(scope="module")
def window(busy_cli: CommandLine) -> str:
    """A session with a window that is READY; who uses it leaves it so."""
    return busy_cli.ready("--app", "xterm")


def test_nothing_is_there_at_first(cli: CommandLine) -> None:
    done = cli.run("-l")
    assert (done.returncode, done.stdout) == (0, "No running jobs\n")
    assert "qconnect -g" in done.stderr


def test_a_list_says_what_the_ancestors_said(busy_cli: CommandLine, window: str) -> None:
    terminal = busy_cli.ready("-n", "mine")
    head, *rows = busy_cli.run("-l").stdout.splitlines()
    second, first = [next(row for row in rows if job_id in row) for job_id in (window, terminal)]
    assert head.split() == ["Job_ID", "Job_Name", "Job_Type", "Queue", "Node", "State", "Left"]
    assert first.split()[:4] == [terminal, "mine_int_tmux", "tmux", "local"]
    assert second.split()[:4] == [window, "xterm_int_gui", "gui", "local"]
    assert "READY" in first
    assert busy_cli.run("--stop", terminal).returncode == 0
    busy_cli.await_state(terminal, "ENDED")
    assert terminal not in busy_cli.run("-l").stdout
    assert terminal in busy_cli.run("-l", "-a").stdout


def test_a_job_is_known_by_its_tag_and_not_by_its_name(tmp_path: Path) -> None:
    """A name like a session's, in a job that is none, lists nothing; a session with any name is listed."""
    cli = CommandLine(tmp_path, local_max_running=1)
    stranger = cli.stranger("interactXYZ_int_tmux")
    try:
        assert cli.run("-l").stdout == "No running jobs\n"
        mine = cli.start("--app", "xterm", "-n", "gui_int_vnc")
        assert mine in cli.run("-l").stdout
        assert stranger not in cli.run("-l").stdout
    finally:
        cli.cancel(stranger)
        cli.close()


def test_a_held_job_is_listed_and_waited_for(full_cli: CommandLine) -> None:
    held = full_cli.start()
    full_cli.hold(held)
    full_cli.await_state(held, "HELD")
    child = full_cli.spawn()
    child.expect_exact(f"Connecting to session {held}")
    child.expect("HELD: The job is held")
    child.sendintr()
    child.expect_exact("goes on")


def test_where_no_server_runs_the_address_is_a_path(full_cli: CommandLine) -> None:
    job_id = full_cli.start("--app", "xterm")
    assert full_cli.run("--url", job_id).stdout == f"/qconnect/{job_id}/\n"


def test_what_would_be_submitted_is_printed_and_nothing_is(full_cli: CommandLine) -> None:
    done = full_cli.run(
        "-g", "gimp 'a $(touch x).png'", "-n", "my name", "-t", "2", "-m", "3", "--queue", "fast", "--script"
    )
    assert done.returncode == 0
    assert "#PBS -N my-name_gimp_int_gui" in done.stdout
    assert "#PBS -q fast" in done.stdout
    assert "#PBS -l nodes=1:ppn=2" in done.stdout
    assert "#PBS -l mem=3GB" in done.stdout
    assert "qc_command=('gimp' 'a $(touch x).png')" in done.stdout
    assert full_cli.run("--all").stdout == "No running jobs\n"
    job_id = full_cli.start("--app", "xterm")
    assert full_cli.run(job_id, "--script").stdout.startswith("#!/bin/bash -p\n#PBS -N xterm_int_gui\n")


@pytest.mark.parametrize(
    "settings",
    [{"request_form": "slurm"}, {"request_form": "lsf"}, {"qos": "a b"}, {"native_options": ["!--mem"]}],
)
def test_settings_that_stop_a_start_stop_the_script_with_their_name(settings: dict[str, Any], tmp_path: Path) -> None:
    done = CommandLine(tmp_path, scheduler="local", **settings).run("--app", "xterm", "--script")
    assert (done.returncode, done.stdout) == (Exit.REFUSED, "")
    assert len(done.stderr.splitlines()) == 1
    assert next(iter(settings)) in done.stderr


def test_logs_are_printed_without_what_means_nothing(busy_cli: CommandLine, window: str) -> None:
    published, _ = busy_cli.written(window, "connection.json")
    with published.with_name("app.log").open("a") as log:
        log.write(
            'XIO:  fatal IO error 11 on X server ":1"\n'
            "      after 10 requests (9 known processed) with 0 events\nreal\n"
        )
    done = busy_cli.run("--log", window)
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
def test_what_is_refused_says_why(cli: CommandLine, argv: tuple[str, ...], words: str) -> None:
    done = cli.run(*argv, *(("--script",) if argv[0] == "-m" and argv[1] == "1" else ()))
    assert done.returncode == (1 if words else 0)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_options_are_status_2(cli: CommandLine) -> None:
    for argv in (("--no-such",), ("-t", "two")):
        done = cli.run(*argv)
        assert (done.returncode, "usage:" in done.stderr) == (2, True)


def test_a_batch_system_that_is_down_is_no_traceback(full_cli: CommandLine) -> None:
    job_id = full_cli.start("--app", "xterm")
    jobs = full_cli.sessions_dir.parent / "local"
    jobs.rename(jobs.with_name("away"))
    jobs.write_text("not a folder")
    done = full_cli.run("-l")
    assert "Traceback" not in done.stderr
    assert done.returncode == 10
    assert job_id in done.stdout
    assert full_cli.run("-h").returncode == 0
    assert full_cli.run("-v").stdout.startswith("qconnect ")
    done = full_cli.run("--app", "xterm", "-c", *SMALL)
    assert done.returncode in (1, 10)
    assert "Traceback" not in done.stderr
    jobs.unlink()
    jobs.with_name("away").rename(jobs)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("exec sleep 60", "has not answered within 1.75 seconds"),
        ("echo 'qstat: cannot connect to server s (errno=111) Connection refused' >&2; exit 111", "cannot connect"),
    ],
)
def test_a_list_waits_no_longer_than_three_seconds_and_is_as_old_as_it_says(
    program: str, words: str, tmp_path: Path
) -> None:
    cli = CommandLine(tmp_path, scheduler="torque")
    programs = tmp_path / "programs"
    programs.mkdir()
    qstat = programs / "qstat"
    qstat.write_text(f"#!/bin/bash\n{program}\n")
    qstat.chmod(0o755)
    now = time.time()
    store = Store(cli.sessions_dir)
    spec = JobSpec("xterm")
    store.create(Record("key1", "xterm", "XTerm", spec, ("xterm",), created=now, submitted=now, job_id="17.s"))
    told = JobStatus(Job("17.s", JobState.HELD, queue="fast"), 0.0)
    store.write_answer({"time": now - 600, "asked": [now - 600.1], "words": [to_json(told, now - 600)]})
    for heard in (words, "has not answered"):  # the second time it may not be asked again, and is as mute
        began = time.monotonic()
        done = cli.run("-l", PATH=f"{programs}:{QCONNECT.parent}:/usr/bin:/bin")
        assert time.monotonic() - began < 3
        assert done.returncode == 10
        assert heard in done.stderr
        assert "it said 10:0" in done.stderr
        assert "asyncio" not in done.stderr
        assert "Traceback" not in done.stderr
        (row,) = [line for line in done.stdout.splitlines() if "17.s" in line]
        assert row.split()[3:6] == ["fast", "-", "HELD"]


def test_a_session_that_has_ended_has_one_exit_status(full_cli: CommandLine) -> None:
    job_id = full_cli.start("--app", "xterm")
    assert full_cli.run(job_id).returncode == 0
    assert full_cli.run("--stop", job_id).returncode == 0
    full_cli.await_state(job_id, "ENDED")
    for options in ((), ("--wait",), ("--json",), ("--url",)):
        done = full_cli.run(*options, job_id)
        assert (options, done.returncode) == (options, 3)
        assert "has ended" in done.stderr
    child = full_cli.spawn(job_id)
    child.expect_exact("has ended")
    child.wait()
    assert child.exitstatus == 3


def test_fifty_sessions_are_listed_at_once(full_cli: CommandLine) -> None:
    store = Store(full_cli.sessions_dir)
    first = full_cli.start("--app", "xterm")
    pattern = store.read(store.list_keys()[0])
    assert pattern is not None
    for number in range(50):
        record: Record = replace(pattern.record, key=f"many{number}", job_id=f"{1000 + number}.local")
        store.create(record)
    took = min(cpu_of([str(QCONNECT), "-l"], full_cli.environment()) for _ in range(3))
    assert len(full_cli.run("-l").stdout.splitlines()) == 52
    assert took <= QUICK_S, f"{took:.2f} s"
    assert first in full_cli.run("-l").stdout


def test_help_costs_next_to_nothing(cli: CommandLine) -> None:
    took = min(cpu_of([str(QCONNECT), "-h"], cli.environment()) for _ in range(3))
    assert took <= HELP_S, f"{took:.2f} s"


@pytest.fixture(scope="module")
def served(busy_cli: CommandLine) -> CommandLine:
    """The command line, and a Jupyter server of the same user."""
    busy_cli.server.start()
    return busy_cli


def test_json_is_what_rest_gives(served: CommandLine, window: str) -> None:
    def timeless(sessions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(({**one, "walltime_left": None} for one in sessions), key=lambda one: str(one["id"]))

    eventually(lambda: served.server.session(window).get("started"), 20, "the scheduler's word to the server")
    by_rest = timeless(served.server.sessions())
    assert timeless(json.loads(served.run("--all", "--json").stdout)) == by_rest
    for argv in ((window, "--json"), ("--wait", window, "--json")):
        assert timeless(json.loads(served.run(*argv).stdout)) == timeless([served.server.session(window)])


def test_the_address_is_that_of_a_running_server(served: CommandLine, window: str) -> None:
    found = served.run("--url", window).stdout.strip()
    assert found == f"http://127.0.0.1:{served.server.port}/qconnect/{window}/"
    assert served.server.token not in found
    assert served.run(window, "--url").stdout.strip() == found
    inside = served.run("--url", window, JUPYTER_SERVER_URL="http://login:8888/user/me/").stdout
    assert inside == f"http://login:8888/user/me/qconnect/{window}/\n"
