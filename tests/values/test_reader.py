"""Values are read from JSON by one rule a field: what no value holds is refused, and the field is named."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qconnect_web.apps import checks, form
from qconnect_web.errors import BadRequest
from qconnect_web.private_files import MAX_JSON, seal, unseal
from qconnect_web.units import format_walltime
from qconnect_web.values.app import App
from qconnect_web.values.job import Job, JobSpec, JobState
from qconnect_web.values.reader import shown
from qconnect_web.values.session import Connection, End, Record

RECORD = Record("key1", "xterm", "XTerm", JobSpec("x"), ("xterm",), created=1.0, job_id="1.local")
CONNECTION = Connection("run-2", "1.local", "n1", 20001, None, ":1", "3.1.3", "0" * 64, 5.0)
END = End("run-2", "1.local", "n1", "app-exit", "The program has ended.", 0, 6.0)
JOB = Job("1.local", JobState.RUNNING, node="n1", started=2.0)
WHOLE: dict[type[Any], dict[str, Any]] = {
    Record: RECORD.to_json(),
    JobSpec: RECORD.spec.to_json(),
    Connection: asdict(CONNECTION),
    End: asdict(END),
    Job: JOB.to_json(),
}


@pytest.mark.parametrize(
    ("kind", "field", "wrong"),
    [
        (Record, "key", "../key2"),
        (Record, "key", 1),
        (Record, "title", None),
        (Record, "title", "\ud800"),
        (Record, "spec", []),
        (Record, "spec", {}),
        (Record, "command", "xterm"),
        (Record, "command", [1]),
        (Record, "created", "now"),
        (Record, "created", True),
        (Record, "created", float("nan")),
        (Record, "created", float("inf")),
        (Record, "created", 1e12),
        (Record, "created", 10**400),
        (Record, "created", -1),
        (Record, "kind", "film"),
        (Record, "job_id", "-W force"),
        (Record, "job_id", ""),
        (Record, "idempotency_key", "x" * 256),
        (Record, "version", 2),
        (JobSpec, "name", ["x"]),
        (JobSpec, "cores", 0),
        (JobSpec, "cores", 2.5),
        (JobSpec, "memory", "much"),
        (JobSpec, "memory", 4),
        (JobSpec, "walltime", "tomorrow"),
        (JobSpec, "native", "-l x"),
        (Connection, "node", "-oProxyCommand=x"),
        (Connection, "node", "::1"),
        (Connection, "node", "a b"),
        (Connection, "node", "n1\n"),
        (Connection, "port", True),
        (Connection, "port", 20001.0),
        (Connection, "run", None),
        (Connection, "display", ":1; rm"),
        (Connection, "terminal", "tmux"),
        (End, "reason", "App exit"),
        (End, "exit_status", "0"),
        (End, "exit_status", 1 << 40),
        (End, "time", None),
        (Job, "state", "DONE"),
        (Job, "state", []),
        (Job, "started", 1e300),
    ],
)
def test_a_field_that_cannot_be_is_refused_by_name(kind: Any, field: str, wrong: object) -> None:
    assert kind.from_json(WHOLE[kind])
    with pytest.raises(BadRequest) as refused:
        kind.from_json({**WHOLE[kind], field: wrong})
    assert field in refused.value.message or field == "spec"
    assert len(refused.value.message) < 300


@pytest.mark.parametrize("node", ["n1", "Node-7.Cluster.EXAMPLE", "gpu_node_3", "_n", "1a"])
def test_a_node_goes_by_the_name_that_its_kernel_has(node: str) -> None:
    assert Connection.from_json({**WHOLE[Connection], "node": node}).node == node


@pytest.mark.parametrize("kind", WHOLE)
def test_what_is_missing_unknown_or_no_object_is_refused(kind: Any) -> None:
    name, *others = WHOLE[kind]
    with pytest.raises(BadRequest, match=f"needs {name}"):
        kind.from_json({other: WHOLE[kind][other] for other in others})
    with pytest.raises(BadRequest, match="colour"):
        kind.from_json({**WHOLE[kind], "colour": 1})
    others_than_objects: list[Any] = [[], None, "x", 1]
    for wrong in others_than_objects:
        with pytest.raises(BadRequest, match="object"):
            kind.from_json(wrong)


@given(wrong=st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()))
def test_a_value_is_shown_short_and_in_one_line(wrong: object) -> None:
    assert len(shown(wrong)) <= 700  # 60 characters, each as an escape
    assert shown(wrong).isprintable()


def test_a_value_that_is_too_deep_to_print_is_shown_too() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert shown(deep) == "a list"
    while deep:
        deep = deep.pop()


@given(
    name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=checks.MAX_NAME),
    cores=st.integers(1, checks.MAX_CORES),
    walltime=st.integers(60, 9999 * 3600),
    memory=st.integers(1, 9999),
    queue=st.none() | st.from_regex(checks.QUEUE, fullmatch=True),
)
def test_whatever_may_be_asked_for_can_be_read_back(
    name: str, cores: int, walltime: int, memory: int, queue: str | None
) -> None:
    asked = {
        "name": name if name.strip() else "x",
        "cores": cores,
        "walltime": format_walltime(walltime),
        "memory": f"{memory}GB",
        "queue": queue,
    }
    app = App("x", "X", "", "", Path("x.svg"), "gui", ("x",))
    spec = form.job_spec(app, asked)
    assert JobSpec.from_json(spec.to_json()) == spec


def test_the_longest_command_can_be_read_back() -> None:
    record = Record("k", "command", "Any command", JobSpec("x"), ("😀" * 32 * 1024,), created=1.0)
    content = seal(record.to_json())
    assert len(content) <= MAX_JSON
    assert Record.from_json(unseal(content) or {}) == record
