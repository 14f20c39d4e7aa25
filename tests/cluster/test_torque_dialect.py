"""The cluster's TORQUE answers as the recorded one did, case by case, while Slurm really runs the jobs."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.batch import Torque
from tests.cluster.dialect import CASES, Replay, here, loose
from tests.support.deadline import eventually

COVERS = ("tests/cluster", "tests/data/recordings")
pytestmark = [pytest.mark.cluster, pytest.mark.long(*COVERS)]
FAILS = ("bad-shebang", "crlf", "exit255", "exit3", "notfound", "segv", "selfkill", "syntax")
NEEDS_A_FAULT = {"qsub-as-root", "qsub-host-not-allowed", "qsub-server-down", "qsub-server-hung", "qsub-trqauthd-down"}
REFUSED = [
    name
    for name, case in CASES.items()
    if name.startswith("qsub") and case["status"] > 0 and name not in NEEDS_A_FAULT and "hung" not in name
]
NAMES = [name for name, case in CASES.items() if name.startswith("qsub-name-") and case["status"] == 0]
PLAIN = (
    "qstat-empty", "qstat-f-empty", "qstat-x-empty", "qstat-n1u-empty", "qstat-unknown", "qstat-f-unknown",
    "qstat-x-unknown", "qstat-bad-id", "qstat-garbage", "qstat-x-badqueue", "qstat-wrong-suffix", "qdel-badid",
    "qdel-none", "qdel-unknown", "qdel-all", "version-qstat", "version-qsub", "version-pbsnodes", "pbsnodes-unknown",
    "pbsnodes-l", "qsub-empty-stdin",
)  # fmt: skip
DOWN = ("qstat-server-down", "qstat-q-server-down", "qstat-x-server-down", "qstat-f-job-server-down")
DOWN += ("qsub-server-down", "qdel-server-down", "pbsnodes-server-down")
SECTIONS = ("env", "pwd", "umask", "ulimit", "tty", "stdin", "hostname", "nodefile", "script")


@pytest.fixture
def replay(torque: Torque) -> Iterator[Replay]:
    with torque.keeping(300):
        yield Replay(torque, {})
        torque.empty()


@pytest.fixture(scope="module")
def nothing(torque: Torque) -> None:
    """No job of another test is there."""
    torque.empty()


@pytest.mark.parametrize("case", [*REFUSED, *PLAIN])
def test_answers_that_need_no_job(torque: Torque, nothing: None, case: str) -> None:
    Replay(torque, {}).same(case)


def test_submissions_that_wait(replay: Replay) -> None:
    replay.same("qsub-z")
    for case in (*NAMES, "qsub-hold", "qsub-at-future-W"):
        replay.submit(case)


def test_a_running_job_in_every_view_and_its_end_by_qdel(replay: Replay) -> None:
    replay.wait(replay.torque.run("qsub", input="sleep 100\n").stdout.partition(".")[0], "R")  # has the first slot
    job = replay.submit("qsub-interactive-q")
    replay.wait(job, "R")
    views = ("qstat-f-running", "qstat-f1-running", "qstat-x-job", "qstat-short-id", "qstat-two-one-unknown")
    for case in (*views, "qstat-f-two-one-unknown", "qstat-x-two-one-unknown"):
        replay.same(case)
    for case in ("qstat-bob-sees", "qstat-bob-f-other", "qdel-other-user", "qhold-other-user"):
        replay.same(case)
    found = replay.torque.run(["pbsnodes", "-x"]).stdout
    assert loose(found).replace("0/ID,", "") == loose(CASES["pbsnodes-x"]["out"])
    text = replay.torque.run(["pbsnodes", "-a"]).stdout
    assert loose(text).replace("0/ID,", "") == loose(CASES["pbsnodes-a"]["out"])
    replay.same("qdel-running")
    replay.wait(job, "C")
    for case in ("qstat-f-after-qdel", "qdel-second-time", "qdel-finished", "qhold-running", "qrls-running"):
        replay.ids |= dict.fromkeys(("2", "3", "53"), job)
        replay.same(case)


def test_queued_held_released_and_deleted(replay: Replay) -> None:
    first = replay.submit("qsub-big")
    replay.wait(first, "R")
    second = replay.submit("qsub-big2")
    eventually(lambda: "right type" in replay.torque.run(["qstat", "-f", second]).stdout, 20, "the reason")
    for case in ("qstat-f-queued-noresources", "qhold-queued", "qstat-f-held", "qrls-held", "qstat-f-released"):
        eventually(lambda: "right type" in replay.torque.run(["qstat", "-f", second]).stdout, 20, "the reason")
        replay.same(case)
    replay.same("qdel-queued")
    replay.same("qstat-f-qdel-queued")


def test_waiting_jobs(replay: Replay) -> None:
    replay.submit("qsub-at-future-W")
    for case in ("qalter-name", "qrls-W", "qhold-W", "qstat-f-held-waiting"):
        replay.same(case)


def test_only_so_many_jobs_of_a_user_run(replay: Replay) -> None:
    jobs = [replay.submit(f"qsub-int-{number}") for number in range(4)]
    for job in jobs[:3]:
        replay.wait(job, "R")
    replay.same("qstat-f-max-user-run-4th")
    replay.ids["25"] = jobs[0]
    replay.same("qdel-m")
    replay.ids["51"] = jobs[0]
    done = replay.torque.run(["qdel", "-p", jobs[0]], check=False)
    assert (done.returncode, loose(done.stderr)) == (159, loose(CASES["qdel-sig-p"]["err"]))
    replay.same("qdel-several")


def test_a_job_on_several_nodes(replay: Replay) -> None:
    job = replay.submit("qsub-multinode3")
    replay.wait(job, "R")
    found = loose(replay.torque.run(f"qstat -n -1 {job}").stdout)
    wanted = loose(CASES["qstat-n1-multinode-running"]["out"])
    assert found.split()[-1] == here("tqnode1/0-2+tqnode2/0-2")  # the other order than recorded: the engine's choice
    assert re.sub("multi  [0-9]+", "multi  0", found).split()[:-2] == wanted.split()[:-2]


def test_exit_statuses(replay: Replay) -> None:
    jobs = {name: replay.submit(f"qsub-fail-{name}") for name in FAILS}
    for name, job in jobs.items():
        replay.wait(job, "C")
        replay.same(f"qstat-f-fail-{name}")


def test_the_walltime_ends_a_job(replay: Replay) -> None:
    job = replay.torque.run("qsub -N wall20 -l walltime=00:00:02", input="sleep 100\n").stdout.partition(".")[0]
    replay.wait(job, "C", 30)
    found = loose(replay.torque.run(["qstat", "-f", job]).stdout)
    limits = {"walltime = 00:00:02": "walltime = 00:00:20", "-l walltime=00:00:02": "-l walltime=00:00:20"}
    for now, then in limits.items():
        found = found.replace(now, then)
    wanted = loose(CASES["qstat-f-after-walltime"]["out"])
    assert sorted(found.splitlines()) == sorted(wanted.splitlines())
    errors = replay.torque.run("cat wall20.e*; rm wall20.*").stdout
    assert errors.startswith("=>> PBS: job killed: walltime ")


@pytest.mark.parametrize("how", ["end", "qdel"])
def test_what_is_in_another_session_outlives_the_job(replay: Replay, how: str) -> None:
    job = replay.submit(f"qsub-daemon-{how}")
    replay.wait(job, "R" if how == "qdel" else "C")
    node = replay.torque.cluster.compute[0]
    sleepers = {f"sleep 7000{number}" for number in range(1, 6)}
    if how == "qdel":
        eventually(lambda: sleepers <= set(node.processes("alice").values()), 10, "all five")
        replay.torque.run(["qdel", job])
        replay.wait(job, "C")
    left = {pid: command for pid, command in node.processes("alice").items() if command in sleepers}
    survivors = {line.split(None, 5)[-1] for line in CASES[f"daemon-survivors-after-{how}"]["out"].splitlines()}
    assert set(left.values()) == survivors
    for pid in left:
        node.run(["kill", "-9", str(pid)])


def test_a_script_has_a_tenth_of_a_second_after_qdel(replay: Replay) -> None:
    job = replay.submit("qsub-fine-plain")
    home = replay.torque.cluster.home("alice")
    log = home / f"fine.{job}.qc-login"
    replay.wait(job, "R")
    eventually(log.exists, 10, "the script's log")
    replay.torque.run(["qdel", job])
    replay.wait(job, "C")
    assert "exit_status = 271" in replay.torque.run(["qstat", "-f", job]).stdout
    term = float(next(line.split()[0] for line in log.read_text().splitlines() if "SIGTERM" in line))
    last = (home / f"fa.{job}.qc-login").stat().st_mtime
    assert 0.05 < last - term < 0.5


def test_the_job_environment(replay: Replay) -> None:
    job = replay.submit("qsub-env")
    replay.wait(job, "C")
    output = (replay.torque.cluster.home("alice") / f"envjob.o{job}").read_text()
    wanted = CASES["job-env-out"]["out"]

    def parts(text: str) -> dict[str, str]:
        marks = [(text.index(f"== {mark}\n"), f"== {mark}") for mark in SECTIONS]
        ends = [start for start, _ in marks[1:]] + [len(text)]
        return {mark: loose(text[start:end]) for (start, mark), end in zip(marks, ends, strict=True)}

    found, known = parts(output), parts(wanted)
    skip = ("PATH=",)  # of the recorded machine's own profile
    lines = [[line for line in text["== env"].splitlines() if not line.startswith(skip)] for text in (found, known)]
    assert lines[0] == lines[1]
    for same in ("== pwd", "== umask", "== hostname", "== nodefile"):
        assert found[same] == known[same]
    limits = [re.search("data seg size.*", text["== ulimit"]) for text in (found, known)]
    assert limits[0]
    assert limits[1]
    assert limits[0][0] == limits[1][0]  # `-m`, which no kernel enforces, is the engine's own
    assert "not a tty" in found["== tty"]
    assert "14 -> pipe" in found["== stdin"]
    assert f"/var/spool/torque/mom_priv/jobs/{job}.qc-login.SC" in output


def test_a_finished_job_is_forgotten(replay: Replay) -> None:
    job = replay.submit("qsub-exiting")
    replay.wait(job, "C")
    replay.same("qstat-f-exiting")
    replay.ids["77"] = job
    with replay.torque.keeping(0):
        for case in ("qstat-left-server", "qstat-f-left-server", "qstat-x-left-server", "qdel-left-server"):
            replay.same(case)


def test_an_empty_script_gets_an_id_and_is_never_seen(replay: Replay) -> None:
    replay.submit("qsub-empty-stdin-2")
    replay.same("qstat-empty-script")


def test_the_server_is_down(replay: Replay) -> None:
    replay.torque.stop("pbs_server")
    try:
        for case in DOWN:
            replay.same(case)
    finally:
        replay.torque.start("pbs_server")


def test_trqauthd_is_down(replay: Replay) -> None:
    replay.torque.stop("trqauthd")
    try:
        for case in ("qstat-trqauthd-down", "qsub-trqauthd-down", "pbsnodes-trqauthd-down"):
            replay.same(case)
    finally:
        replay.torque.start("trqauthd")


def test_the_server_is_mute(replay: Replay) -> None:
    replay.torque.signal("pbs_server", signal.SIGSTOP)
    try:
        for case in ("qstat-server-hung-PBSAPITIMEOUT5", "qsub-server-hung-PBSAPITIMEOUT5"):
            replay.same(case)
    finally:
        replay.torque.signal("pbs_server", signal.SIGCONT)


def test_other_servers_hosts_and_users(replay: Replay) -> None:
    for case in ("qstat-wrong-server-name", "qstat-wrong-server-host", "qsub-as-root", "qrerun-user"):
        if case == "qrerun-user":
            replay.ids["53"] = replay.submit("qsub-st-r")
            replay.wait(replay.ids["53"], "R")
        replay.same(case)
    replay.torque.install(replay.torque.cluster.compute[0])
    done = replay.torque.run(["/usr/local/torque/bin/qsub"], node="qc-node01", input="sleep 1\n", check=False)
    wanted = loose(CASES["qsub-host-not-allowed"]["err"]).replace("from qc-login", "from qc-node01")
    assert (done.returncode, loose(done.stderr)) == (177, wanted)


def test_a_dead_mom(replay: Replay) -> None:
    job = replay.submit("qsub-on-node2-kill")
    replay.wait(job, "R")
    node = replay.torque.cluster.compute[1]
    node.signal("slurmd", signal.SIGKILL)
    try:
        for case in ("qstat-mom-dead", "qdel-mom-dead", "qstat-mom-dead-after-qdel"):
            replay.same(case)
    finally:
        node.run(["/usr/sbin/slurmd"])
    replay.same("qdel-after-mom-restart")
    replay.wait(job, "C")
    replay.torque.cluster.wait_idle(node)


def test_what_is_not_compared_is_known() -> None:
    sources = "".join(path.read_text() for path in Path(__file__).parent.glob("test_torque_*.py"))
    compared = {*REFUSED, *NAMES, *(f"qstat-f-fail-{name}" for name in FAILS), *(f"qsub-fail-{name}" for name in FAILS)}
    compared |= {f"qsub-int-{number}" for number in range(4)} | {f"qsub-daemon-{how}" for how in ("end", "qdel")}
    compared |= {name for name in CASES if f'"{name}"' in sources or name.startswith("daemon-survivors")}
    print(f"{len(compared)} of {len(CASES)} recordings compared; not: {' '.join(sorted(set(CASES) - compared))}")
    assert len(compared) > 140
    assert compared <= set(CASES)
