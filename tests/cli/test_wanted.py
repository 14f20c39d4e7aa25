"""The one rule by which a session is found, and what a new one is asked to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qconnect_web.apps.catalogue import Catalogue
from qconnect_web.cli.options import parser
from qconnect_web.cli.selection import Wanted, job_name, spec, wanted
from qconnect_web.errors import BadRequest, UnknownApp
from qconnect_web.values.job import Job, JobSpec, JobState
from qconnect_web.values.session import Connection, Record, Session

pytestmark = pytest.mark.unit
STATES = {"READY": JobState.RUNNING, "QUEUED": JobState.QUEUED, "HELD": JobState.HELD, "UNREACHABLE": JobState.UNKNOWN}


def session(number: int, state: str = "READY", *, app: str = "tmux", command: tuple[str, ...] = ("bash",)) -> Session:
    kind = "terminal" if app == "tmux" else "gui"
    record = Record(str(number), app, app, JobSpec(app), command, 0.0, kind, job_id=f"{number}.local")
    connection = Connection("r", record.job_id or "", "n", None, "/s", ":1", "3.1", "", 0.0)
    job_state = STATES.get(state, JobState.RUNNING)
    ready = connection if state == "READY" else None
    stopped = 1.0 if state == "ENDING" else None
    from dataclasses import replace

    return Session(replace(record, stopped=stopped), Job(record.job_id or "", job_state), ready)


def chosen(meant: Wanted, *sessions: Session) -> str | None:
    found = meant.choose(sessions)
    return found.id if found else None


def asked(*argv: str) -> Any:
    return parser().parse_args(argv)


def test_a_running_session_goes_before_one_that_waits() -> None:
    assert chosen(Wanted(), session(1, "QUEUED"), session(2)) == "2.local"
    assert chosen(Wanted(), session(1, "QUEUED"), session(2, "HELD")) == "1.local"
    assert chosen(Wanted(), session(1, "STARTING"), session(2, "READY")) == "1.local"


def test_job_ids_are_compared_as_numbers() -> None:
    assert chosen(Wanted(), session(100), session(10), session(9)) == "9.local"


def test_nothing_asked_for_takes_a_terminal_first_and_then_whatever_runs() -> None:
    gui, waiting_gui = session(1, app="xterm"), session(1, "QUEUED", app="xterm")
    assert chosen(Wanted(), gui, session(2, "QUEUED")) == "2.local"
    assert chosen(Wanted(), gui) == "1.local"
    assert chosen(Wanted(), waiting_gui) is None


def test_an_explicit_wish_is_never_answered_with_something_else() -> None:
    rstudio = session(1, app="rstudio", command=("rstudio",))
    assert chosen(Wanted(command=("matlab",)), rstudio, session(2)) is None
    assert chosen(Wanted(app="matlab"), rstudio, session(2)) is None
    assert chosen(Wanted(command=("rstudio",)), session(2), rstudio) == "1.local"
    assert chosen(Wanted(app="rstudio"), session(2), rstudio) == "1.local"


def test_a_program_is_known_by_its_name_and_a_whole_command_by_all_of_it() -> None:
    gimp = session(1, app="command", command=("/opt/gimp/bin/gimp", "a.png"))
    assert chosen(Wanted(command=("gimp",)), gimp) == "1.local"
    assert chosen(Wanted(command=("gimp", "b.png")), gimp) is None
    assert chosen(Wanted(command=("/opt/gimp/bin/gimp", "a.png")), gimp) == "1.local"
    typed = session(1, app="command", command=("bash", "-c", "gimp a.png"))  # on the home page
    assert chosen(Wanted(command=("gimp",)), typed) == "1.local"


def test_a_session_that_is_ending_is_not_chosen() -> None:
    assert chosen(Wanted(), session(1, "ENDING")) is None


def test_a_session_of_which_nothing_is_known_keeps_a_second_one_from_being_started() -> None:
    assert chosen(Wanted(), session(1, "UNREACHABLE")) == "1.local"


def test_a_command_of_the_catalogue_starts_its_app_with_the_sites_setup() -> None:
    apps = Catalogue([])
    assert Wanted(command=("rstudio",)).app_to_start(apps)[0].name == "rstudio"
    assert Wanted(command=("matlab",)).app_to_start(apps)[0].command == ("matlab", "-desktop")
    app, command = Wanted(command=("gimp", "a b.png")).app_to_start(apps)
    assert (app.name, command) == ("command", ["gimp", "a b.png"])
    assert Wanted().app_to_start(apps)[0].kind == "terminal"
    with pytest.raises(UnknownApp, match="matlab"):
        Wanted(app="matlap").app_to_start(apps)


def test_vnc_means_a_vnc_desktop_and_nothing_else() -> None:
    meant = wanted(asked("--vnc"))
    assert chosen(meant, session(1), session(2, app="xfce")) is None
    assert chosen(meant, session(3, "QUEUED", app="vnc"), session(1)) == "3.local"
    assert meant.app_to_start(Catalogue([]))[0].kind == "vnc"
    with pytest.raises(BadRequest):
        wanted(asked("--vnc", "-g", "gimp"))


def test_commands_are_read_as_a_shell_reads_them() -> None:
    assert wanted(asked("-g", "gimp 'a b.png'")).command == ("gimp", "a b.png")
    for bad in ("", "  ", "gimp 'a"):
        with pytest.raises(BadRequest):
            wanted(asked("-g", bad))
    with pytest.raises(BadRequest, match="not both"):
        wanted(asked("-g", "gimp", "--app", "xterm"))


def test_names_are_those_of_the_ancestor() -> None:
    apps = Catalogue([])
    assert job_name(None, apps.get("tmux"), None) == "int_tmux"
    assert job_name("mine", apps.get("tmux"), None) == "mine_int_tmux"
    assert job_name(None, apps.get("command"), ["/usr/bin/gimp", "a.png"]) == "gimp_int_gui"
    assert job_name("mine", apps.get("vnc"), None) == "mine_int_vnc"
    assert job_name("mine", apps.get("xterm"), None) == "mine_xterm_int_gui"


@pytest.mark.parametrize(
    ("argv", "cores", "memory"),
    [
        ((), 1, "4GB"),
        (("-m", "6"), 1, "6GB"),
        (("-t", "2", "-m", "1500MB"), 2, "1500MB"),
    ],
)
def test_cores_and_memory(argv: tuple[str, ...], cores: int, memory: str) -> None:
    apps = Catalogue([])
    app = apps.get("tmux")
    found = apps.job_spec(app, spec(asked(*argv), app, None))
    assert (found.cores, found.memory, found.nodes) == (cores, memory, 1)


@pytest.mark.parametrize("argv", [("-t", "0"), ("-t", "99999999"), ("-m", "0"), ("-m", "much"), ("--walltime", "x")])
def test_what_cannot_be_is_refused(argv: tuple[str, ...]) -> None:
    apps = Catalogue([])
    app = apps.get("tmux")
    with pytest.raises(BadRequest):
        apps.job_spec(app, spec(asked(*argv), app, None))


TOOL = """\
title: Tool
command: [tool]
fields:
  - {name: version, type: text}
  - {name: threads, type: number}
  - {name: stereo, type: checkbox}
"""


def test_everything_that_a_form_asks_can_be_asked_in_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "tool.yaml").write_text(TOOL)
    (tmp_path / "tool.yaml").chmod(0o644)
    apps = Catalogue([tmp_path], {"native": True})
    app = apps.get("tool")
    argv = ["--gpus=2", "--gpu-type=a100", "--account=p1", "--nodes=3", "--mail=end", "--native=-l x=y"]
    argv += ["--queue=q", "-t4", "-m", "1.5g", "--walltime=90 min"]
    argv += ["--set=version=5.11", "--set", "threads=4", "--set", "stereo=yes"]
    found = apps.job_spec(app, spec(asked(*argv), app, None))
    assert (found.gpus, found.gpu_type, found.account, found.nodes, found.mail) == (2, "a100", "p1", 3, "end")
    assert (found.native, found.queue, found.cores, found.memory) == (("-l x=y",), "q", 4, "1536MB")
    assert found.walltime == "01:30:00"
    assert found.fields == {"version": "5.11", "threads": 4, "stereo": True}


@pytest.mark.parametrize(
    ("given", "words"),
    [("version", "sets nothing"), ("verison=1", "Did you mean 'version'"), ("threads=many", "must be a number")],
)
def test_an_answer_that_cannot_be_is_refused_in_the_terminal(tmp_path: Path, given: str, words: str) -> None:
    (tmp_path / "tool.yaml").write_text(TOOL)
    (tmp_path / "tool.yaml").chmod(0o644)
    app = Catalogue([tmp_path]).get("tool")
    with pytest.raises(BadRequest, match=words):
        spec(asked("--set", given), app, None)
