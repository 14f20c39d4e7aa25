"""The TORQUE of the test cluster prints jobs byte for byte as the recorded one: every view of what it held then."""

from __future__ import annotations

import getopt
import json
import re
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.cluster.torque import client, listing, replies, state
from tests.cluster.torque.jobs import Job, fold, seconds
from tests.cluster.torque.said import Reply
from tests.support.servers import REPOSITORY

pytestmark = pytest.mark.unit
CASES: dict[str, Any] = json.loads((REPOSITORY / "tests/data/recordings/torque-6.1.3.h5.json").read_text())
OPTIONS = {"Join_Path": "j", "Keep_Files": "k", "Mail_Points": "m", "Priority": "p", "Shell_Path_List": "S"}
ARRAYS = re.compile(r"^[0-9]+\[.*\n(?:    .*\n)?", re.MULTILINE)
"""Rows of array jobs, which the test cluster's TORQUE does not have."""


def job_of(node: ElementTree.Element) -> Job:
    """The job of one <Job> of `qstat -x`."""
    flat = {child.tag: child.text or "" for child in node if not len(child)}
    groups = {child.tag: {sub.tag: sub.text or "" for sub in child} for child in node if len(child)}
    number, _, server = flat["Job_Id"].partition(".")
    start = float(flat["start_time"]) if "start_time" in flat else None
    options = {letter: flat[name] for name, letter in OPTIONS.items() if name in flat}
    options |= {"r": "y" if flat["Rerunable"] == "True" else "n"}
    options |= {"W": f"umask={int(flat['umask']):o}"} if "umask" in flat else {}
    return Job(
        number=int(number),
        server=server,
        owner=flat["euser"],
        host=flat["submit_host"],
        queue=flat["queue"],
        script="",
        options=options,
        resources=groups["Resource_List"],
        variables=dict(pair.split("=", 1) for pair in flat["Variable_List"].split(",")),
        submit_args=flat.get("submit_args", ""),
        workdir=flat["init_work_dir"],
        output=flat["Output_Path"],
        error=flat["Error_Path"],
        ctime=float(flat["ctime"]),
        name=flat["Job_Name"],
        state=flat["job_state"],
        hold=flat["Hold_Types"],
        execution_time=float(flat["Execution_Time"]) if "Execution_Time" in flat else None,
        exec_host=flat.get("exec_host"),
        session_id=int(flat.get("session_id", 0)),
        comment=flat.get("comment"),
        exit_status=int(flat["exit_status"]) if "exit_status" in flat else None,
        hint=flat.get("sched_hint"),
        used=groups.get("resources_used", {}),
        mtime=float(flat["mtime"]),
        etime=float(flat["etime"]) if "etime" in flat else None,
        start_time=start,
        comp_time=float(flat["comp_time"]) if "comp_time" in flat else None,
        runtime=float(flat["total_runtime"]) if "total_runtime" in flat else None,
        start_count=int(flat.get("start_count", 0)),
    )


def jobs_of(case: str) -> tuple[list[Job], float]:
    """The jobs of a recorded `qstat -x`, without arrays, and the time of that answer (from what it says is left)."""
    documents = [part for part in CASES[case]["out"].split('<?xml version="1.0"?>') if part]
    roots = [ElementTree.fromstring(document) for document in documents]  # noqa: S314 - our own file
    nodes = [node for root in roots for node in root if "[" not in (node.findtext("Job_Id") or "")]
    jobs = [job_of(node) for node in nodes]
    moments = [
        float(node.findtext("start_time") or 0)
        + seconds(node.findtext("Resource_List/walltime") or "")
        - int(node.findtext("Walltime/Remaining") or 0)
        for node in nodes
        if node.find("Walltime") is not None
    ]
    return jobs, min(moments, default=0.0)


def entities(text: str) -> str:
    """Apostrophes as most answers have them: of two builds of this TORQUE one leaves them as they are."""
    return text.replace("'", "&apos;") if text.startswith("<") else text


def without_arrays(text: str) -> str:
    return ARRAYS.sub("", re.sub(r"Job Id: [0-9]+\[.*?\n\n", "", text, flags=re.DOTALL))


@pytest.mark.parametrize(
    "case", [name for name in CASES if name.startswith("qstat-x") and CASES[name]["out"][:1] == "<"]
)
def test_xml(case: str) -> None:
    jobs, now = jobs_of(case)
    recorded = re.sub(r"<Job><Job_Id>[0-9]+\[.*?</Job>", "", entities(CASES[case]["out"]))
    by_id = CASES[case]["command"].split()[-1].endswith(".torquehead")
    assert "".join(listing.xml(part, now) for part in ([[job] for job in jobs] if by_id else [jobs])) == recorded


ASKED = {
    "qstat-x-three-ids": "qstat-x-three-ids",
    "qstat-x-known-and-unknown": "qstat-x-three-ids",
    "qstat-x-two-one-unknown": "qstat-x-two-one-unknown",
    "qstat-x-unknown": "qstat-x-job",
    "qstat-x-six-jobs": "qstat-x-six-jobs",
    "qstat-x-six-jobs-u-alice": "qstat-x-six-jobs",
    "qstat-x-u-combined": "qstat-x-six-jobs",
    "qstat-x-empty": "qstat-x-empty",
}
"""Recorded questions, and the answer that shows what the server held."""
MOMENTS = {"qstat-x-six-jobs-u-alice": "qstat-x-three-ids"}
"""Questions that were put at another moment than that answer: at that of this one."""


@pytest.mark.parametrize("case", ASKED)
def test_the_server_answers_as_the_recorded_one_did(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Output, errors and status, byte for byte, of several ids, unknown ones among them, and of none."""
    (tmp_path / "server_name").write_text("torquehead\n")
    monkeypatch.setattr(state, "SPOOL", tmp_path)
    server = state.Server()
    jobs, now = jobs_of(ASKED[case])
    server.jobs = {job.number: job for job in jobs}
    now = jobs_of(MOMENTS[case])[1] if case in MOMENTS else now
    monkeypatch.setattr("time.time", lambda: now)
    words = CASES[case]["command"].splitlines()[1].partition(" |")[0].split()[1:]
    options, operands = getopt.gnu_getopt(words, client.OPTIONS["qstat"])
    found = Reply("qstat")
    replies.qstat(server, "alice", {"options": options, "operands": operands}, found)
    asked = CASES[case]
    assert (found.out, found.err, found.rc) == (entities(asked["out"]), asked["err"], asked["status"])


SAME_MOMENT = {"qstat-x-all": "qstat-f-several", "qstat-x-QRCEH": "qstat-f-QRCEH"}


@pytest.mark.parametrize("case", SAME_MOMENT)
def test_full_text(case: str) -> None:
    jobs, now = jobs_of(case)
    recorded = without_arrays(CASES[SAME_MOMENT[case]]["out"])
    assert "".join(job.text(now, wide=False) for job in jobs) == recorded


def test_tables_of_jobs() -> None:
    jobs, now = jobs_of("qstat-x-all")
    rows = partial(listing.wide, jobs, "torquehead", now)
    assert rows(nodes=False, one_line=False) == without_arrays(CASES["qstat-a"]["out"])
    assert rows(nodes=True, one_line=False) == without_arrays(CASES["qstat-n-u-alice"]["out"])
    assert rows(nodes=True, one_line=True) == without_arrays(CASES["qstat-n1-u-alice"]["out"])
    assert listing.short(jobs) == without_arrays(CASES["qstat-t"]["out"]) == without_arrays(CASES["qstat-e"]["out"])
    late, _ = jobs_of("qstat-x-QRCEH")
    assert listing.short(late) == CASES["qstat-QRCEH"]["out"]


def folded(text: str) -> str:
    """Every attribute of a `-f` answer, unfolded and folded again."""
    lines = re.sub(r"\n\t", "", text).splitlines(keepends=True)
    found = []
    for line in lines:
        pair = re.fullmatch(r"    ([A-Za-z_]+)(?:\.([a-z_A-Z]+))? = (.*)\n", line)
        found.append(fold(*pair.groups()) if pair else line)
    return "".join(found)


FOLDED = [name for name, case in CASES.items() if re.search(r"^    [A-Za-z_.]+ = ", case["out"], re.MULTILINE)]


@pytest.mark.parametrize(
    "case", [name for name in FOLDED if "grep" not in CASES[name]["command"] and "-f1" not in name]
)
def test_folding(case: str) -> None:
    assert folded(CASES[case]["out"]) == CASES[case]["out"]


def test_tables_of_queues() -> None:
    limits = {"interactive": {"resources_max.walltime": "12:00:00"}}
    names = ("batch", "interactive", "closed", "restricted")
    queues = {name: {"enabled": str(name != "closed"), "started": "True", **limits.get(name, {})} for name in names}
    jobs, _ = jobs_of("qstat-x-all")
    array = {"     0     15   yes": "     0     12   yes", " 1     0     0 E     4": " 1     0     0 E     1"}
    recorded = CASES["qstat-Q"]["out"]
    for with_array, without in array.items():
        recorded = recorded.replace(with_array, without)
    assert listing.queue_table(queues, jobs) == recorded
    assert listing.queue_limits(queues, jobs, "torquehead") == CASES["qstat-q"]["out"]


def test_nothing_to_show_is_nothing_at_all() -> None:
    assert listing.short([]) == CASES["qstat-empty"]["out"] == ""
    assert listing.wide([], "torquehead", 0, nodes=True, one_line=True) == CASES["qstat-n1u-empty"]["out"] == ""
