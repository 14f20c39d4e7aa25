"""The ancestor's behaviours where a cluster could differ from one machine: ids, names, words and nodes of its own.

The rows (Q) are those of docs/qconnect-1.8.1.md. A terminal and a window are shared by most of them.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pexpect
import pytest

from qconnect_web.cli.exits import Exit
from tests.cli.command_line import QCONNECT, SMALL, detach, finish
from tests.cli.xscreen import RED, UserScreen
from tests.cluster.cluster import Cluster
from tests.cluster.command_line import ClusterCommandLine
from tests.cluster.leftovers import listening
from tests.support.deadline import eventually

pytestmark = pytest.mark.cluster
SHELL = r"alice@qc-node\d+"
PROGRAM = """#!/bin/bash
echo 'XIO:  fatal IO error 11 on X server ":1"' >&2
xterm -T rows & trap 'kill $!' EXIT
until [ -e {place}/enough ]; do sleep 0.1; done
exit 7
"""
"""It shows a window until it is told to go, and has something to say then."""
LOST = "setup: exit 5\nkind: terminal\ntitle: Lost\ncommand: [bash]\nresources:\n  queue: interactive\n"
"""An app whose jobs die at their start, in a queue of the site's choice."""


@pytest.fixture(scope="module")
def terminal(cli: ClusterCommandLine) -> dict[str, Any]:
    """A terminal session that is READY; who uses it leaves it so."""
    return cli.ready("-n", "my plot", "-t", "2", "-m", "600MB", "--queue", "batch")


@pytest.fixture(scope="module")
def window(cli: ClusterCommandLine) -> dict[str, Any]:
    """The session of a program with a window, READY."""
    program = cli.server.home / "program"
    program.write_text(PROGRAM.format(place=cli.server.there))
    program.chmod(0o755)
    return cli.ready("-g", f"{cli.server.there}/program 'with words'")


@pytest.fixture(scope="module")
def screen(cluster: Cluster) -> Iterator[UserScreen]:
    """Alice's screen, at the login node."""
    found = UserScreen.on(cluster.login, "alice")
    yield found
    found.close()


def own_xpra(cli: ClusterCommandLine) -> str:
    """PATH with an xpra in it, where the machine has none."""
    tools = cli.server.home / "tools"
    tools.mkdir(exist_ok=True)
    shutil.copy("/usr/bin/xpra", tools)
    return f"{cli.server.there}/tools:{cli.server.environment()['PATH']}"


@pytest.fixture
def no_room(cli: ClusterCommandLine) -> Iterator[None]:
    """No node takes a job meanwhile."""
    first, second = cli.cluster.compute
    with cli.cluster.closed(first), cli.cluster.closed(second):
        yield


def number(job_id: str) -> str:
    return job_id.partition(".")[0]


def files(cli: ClusterCommandLine) -> set[str]:
    """What lies about in the user's home, but for what a shell itself leaves."""
    return {path.name for path in cli.server.users_home.iterdir()} - {".bash_history"}


def attached(cli: ClusterCommandLine, *argv: str, **env: str) -> pexpect.spawn[str]:
    """A terminal session with a clean screen, in which `qconnect` is what it is on the login node."""
    child = cli.spawn(*argv, **env)
    child.expect(SHELL)
    child.sendline(f". {cli.profile}; clear; echo $((40+2))-cleared")
    child.expect_exact("42-cleared")
    return child


def printed(cli: ClusterCommandLine, child: pexpect.spawn[str], line: str) -> str:
    """What a line typed into the attached shell prints, not as tmux draws it but as it is."""
    path = cli.server.home / "printed"
    path.unlink(missing_ok=True)
    child.sendline(f"clear; {{ {line}; }} >{cli.server.there}/printing 2>&1; mv {cli.server.there}/print{{ing,ed}}")
    eventually(path.exists, 30, f"the end of: {line}")
    return path.read_text()


def test_waiting_is_told_in_the_batch_systems_words_and_can_be_left(cli: ClusterCommandLine, no_room: None) -> None:
    """Q2, Q4, Q30, Q31, Q32, Q41, Q47."""
    child = cli.spawn("-c", *SMALL)
    child.expect(r"created with job id (\S+)")
    job_id = str(child.match[1])  # type: ignore[index]  # expect has matched
    child.expect("safely press Ctrl-C")
    child.expect(r"QUEUED: (\S.*) \(\d+ s\)")
    child.sendintr()
    status, text = finish(child)
    assert (status, f"qconnect {job_id}" in text) == (Exit.INTERRUPTED, True), text
    assert cli.session(job_id)["state"] == "QUEUED"

    again = cli.spawn()
    again.expect_exact(f"Connecting to session {job_id}")
    again.expect("QUEUED")
    assert cli.run("--app", "tmux").stdout.split()[:2] == [job_id, "QUEUED"]
    assert cli.run("--stop", job_id).returncode == 0
    status, text = finish(again)
    assert status == Exit.DIED, text
    assert re.search("ENDING|No running jobs", cli.run("-l").stdout)


def test_what_is_asked_for_is_what_the_batch_system_is_asked(
    cli: ClusterCommandLine, terminal: dict[str, Any], window: dict[str, Any]
) -> None:
    """Q9, Q11, Q12, Q13, Q14, Q15, Q43."""
    assert [terminal["name"], window["name"]] == ["my plot_int_tmux", "program_int_gui"]
    asked = "qstat -f" if cli.torque else "scontrol -o show job"
    seen = cli.batch(f"{asked} {terminal['id']}")
    if cli.torque:
        assert "Job_Name = my-plot_int_tmux" in seen
        assert "Resource_List.nodes = 1:ppn=2" in seen
        assert "Resource_List.mem = 600MB" in seen
    else:
        assert "JobName=my-plot_int_tmux" in seen
        assert "NumNodes=1 NumCPUs=2" in seen
        assert "mem=600M" in seen
    assert re.search("program_int_gui", cli.batch(f"{asked} {window['id']}"))
    script = cli.run("-c", "-t", "2", "--queue", "batch", "--script").stdout
    assert ("#PBS -l nodes=1:ppn=2" if cli.torque else "#SBATCH --cpus-per-task=2") in script
    assert f"{'#PBS -l mem=10GB' if cli.torque else '#SBATCH --mem=2000M'}\n" in script  # half of the node's


def test_the_list_is_of_ones_own_sessions_and_of_nothing_else(
    cli: ClusterCommandLine, terminal: dict[str, Any], window: dict[str, Any]
) -> None:
    """Q7, Q35, Q37: jobs with the ancestor's names, one's own and another's, are none."""
    submit = "qsub -N other_int_tmux" if cli.torque else "sbatch -J other_int_tmux"
    stranger = cli.batch(f"echo 'sleep 60' | {submit}") if cli.torque else cli.batch(f"{submit} --wrap 'sleep 60'")
    head, *rows = (line for line in cli.run("-l").stdout.splitlines() if " ENDING " not in line)
    assert head.split() == ["Job_ID", "Job_Name", "Job_Type", "Queue", "Node", "State", "Left"]
    assert [row.split()[0] for row in rows] == sorted(
        [terminal["id"], window["id"]], key=lambda found: int(number(found))
    )
    (row,) = [row for row in rows if row.startswith(terminal["id"])]
    assert re.search(r"my plot_int_tmux +tmux +batch +qc-node0[12] +READY +00:(1\d:\d\d|20:00)$", row)
    cli.batch(f"{'qdel' if cli.torque else 'scancel'} {stranger.split()[-1]}")


def test_nothing_listens_on_a_node_but_the_published_ports(
    cli: ClusterCommandLine, terminal: dict[str, Any], window: dict[str, Any]
) -> None:
    """B21, B23."""
    for node in cli.cluster.compute:
        here = {found["id"] for found in (terminal, window) if found["job"]["node"] == node.name}
        assert listening(node, "alice") == {cli.written("connection.json")[job_id]["port"] for job_id in here}


def test_the_session_that_is_meant_is_found(
    cli: ClusterCommandLine, terminal: dict[str, Any], window: dict[str, Any]
) -> None:
    """Q3, Q4, Q5, Q6."""

    def found(*argv: str) -> str:
        return cli.run(*argv).stdout.split()[0]

    assert found() == found("--app", "tmux") == found("-j", number(terminal["id"])) == terminal["id"]
    assert found("-g", "program") == found(number(window["id"])) == window["id"]
    done = cli.run("4711")
    assert done.returncode == Exit.REFUSED
    assert "There is no session 4711" in done.stderr
    assert terminal["id"] in done.stderr


def test_within_a_terminal_its_display_is_at_hand(cli: ClusterCommandLine, terminal: dict[str, Any]) -> None:
    """Q6, Q18, Q20, Q21, Q25, Q26, Q27, Q28, Q46."""
    job_id = terminal["id"]
    child = attached(cli, "-j", number(job_id))

    def prints(line: str) -> str:
        return printed(cli, child, line)

    assert prints('echo "$QCONNECT $DISPLAY"; xdpyinfo >/dev/null && echo X') == f"tmux :{number(job_id)}\nX\n"
    told = prints("qconnect; echo rc=$?")
    assert f"export DISPLAY=:{number(job_id)}\n" in told
    assert f"qconnect --connect-gui {job_id}\n" in told
    assert told.endswith("rc=0\n")
    elsewhere = prints(f"(PATH=${{PATH//{QCONNECT.parent}/}}; type -P qconnect; qconnect 2>/dev/null)")
    assert elsewhere.startswith(f"export DISPLAY=:{number(job_id)}\n")  # and no path of a `qconnect` before it
    refused = prints(f"qconnect --connect-gui {job_id}; echo rc=$?")
    assert f"You are inside session {job_id}," in refused
    assert refused.endswith("rc=1\n")
    assert f"you are inside session {job_id}." in " ".join(prints("qconnect -h").split())
    nested = prints(f"script -qec 'qconnect {job_id}' /dev/null; echo rc=$?")  # on a terminal, as it would attach
    assert "inside tmux already" in nested
    assert nested.endswith("rc=1\n")
    assert detach(child)[0] == 0


def test_windows_are_shown_on_the_users_own_display_and_left(
    cli: ClusterCommandLine, terminal: dict[str, Any], screen: UserScreen
) -> None:
    """Q18, Q23, Q34, Q44, Q49: with an xpra of the user's own, since the login node has none."""
    job_id, here = terminal["id"], {"DISPLAY": screen.display, "PATH": own_xpra(cli)}
    child = attached(cli, job_id, **here)
    child.sendline(f"xterm -geometry 40x10 -bg {RED} -fg {RED} -cr {RED} +sb -bc -e sleep 1000 &")
    first = screen.settled_red()
    assert detach(child)[0] == 0
    screen.await_red(0)
    child = cli.spawn("--connect-gui", job_id, **here)
    child.expect("the program goes on")
    assert screen.settled_red() == first  # the same picture as before
    child.sendintr()
    status, text = finish(child)
    assert (status, f"qconnect {job_id}" in text) == (Exit.DONE, True), text
    screen.await_red(0)
    assert cli.session(job_id)["state"] == "READY"
    status, text = finish(cli.spawn("--connect-gui", job_id, DISPLAY=screen.display))
    assert (status, "xpra is not installed here" in text) == (Exit.DONE, True), text


def test_another_one_can_always_be_had_and_ends_with_its_shell(
    cli: ClusterCommandLine, terminal: dict[str, Any]
) -> None:
    """Q8, Q22, Q36, Q38, Q47."""
    before = files(cli)
    child = cli.spawn("--create", *SMALL)
    child.expect(r"created with job id (\S+)")
    job_id = str(child.match[1])  # type: ignore[index]  # expect has matched
    child.expect(SHELL)
    left = time.time()
    child.sendline("exit")
    status, text = finish(child)
    assert (status, f"Session {job_id} has ended" in text) == (Exit.DONE, True), text
    jobs = "qstat" if cli.torque else "squeue -h"
    eventually(lambda: not re.search(rf"\b{number(job_id)}\b.* (R|CG|E) ", cli.batch(jobs)), 10, "the job's end")
    assert cli.written("ended.json")[job_id]["time"] - left < 5  # by the job's own clock
    cli.await_state(job_id, "ENDED")
    assert job_id not in [line.split()[0] for line in cli.run("-l").stdout.splitlines()]
    assert job_id in [line.split()[0] for line in cli.run("-a").stdout.splitlines()]
    status, text = finish(cli.spawn(job_id))
    assert (status, "has ended" in text) == (Exit.DIED, True), text
    assert files(cli) == before


def test_a_job_that_dies_at_its_start_says_why(cli: ClusterCommandLine) -> None:
    """Q33, Q41, Q42."""
    apps = cli.server.users_home / ".config/qconnect/apps"
    apps.mkdir(parents=True, exist_ok=True)
    (apps / "lost.yaml").write_text(LOST)
    status, text = finish(cli.spawn("--app", "lost", *SMALL))
    (session,) = [found for found in cli.sessions() if found["app"] == "lost"]
    assert (status, session["spec"]["queue"]) == (Exit.DIED, "interactive")
    assert "prepare this program failed" in text
    assert f"qconnect --log {session['id']}" in text


def test_a_program_ends_its_job_with_its_own_word(cli: ClusterCommandLine, window: dict[str, Any]) -> None:
    """Q29, Q34, Q38, Q48."""
    (cli.server.home / "enough").touch()
    assert cli.await_state(window["id"], "ENDED", "FAILED")["exit_status"] == 7
    log = cli.run("--log", window["id"]).stdout
    assert "exit status 7" in log
    assert "XIO" not in log


def test_the_doctor_knows_the_batch_system(cli: ClusterCommandLine) -> None:
    """Q19, Q45."""
    assert re.fullmatch(r"qconnect [\d.]+\S*\n", cli.run("-v").stdout)
    probed = cli.run("--doctor", "--probe", "--queue", "batch", "--json")
    done = cli.run("--doctor", "--json")  # the folder is there by now
    told = [finding for each in (probed, done) for finding in json.loads(each.stdout)["findings"]]
    found = {finding["check"]: finding for finding in told}
    assert found["batch system"]["found"].startswith("torque. " if cli.torque else "slurm. ")
    here = ("batch system", "batch answers", "sessions folder", "clock", "transport")
    for check in (*here, "submission", "start", "reach", "node", "node's clock", "node's xpra", "end"):
        assert found[check]["level"] == "ok", found[check]
    assert "batch (the default)" in found["batch answers"]["found"]
    levels = {finding["level"] for finding in json.loads(done.stdout)["findings"]}
    assert (done.returncode == Exit.UNHEALTHY) == ("problem" in levels)
