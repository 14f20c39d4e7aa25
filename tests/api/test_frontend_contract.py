"""The JupyterLab part and the server mean the same JSON."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qconnect_web.sessions.describe import describe
from qconnect_web.values.job import Job, JobSpec, JobState
from qconnect_web.values.session import Record, Session, SessionState

pytestmark = pytest.mark.unit
API = (Path(__file__).parents[2] / "labextension/src/models.ts").read_text()
SPEC = JobSpec(name="xterm")
JOB = Job(id="1.local", state=JobState.RUNNING)
RECORD = Record(key="k", app="xterm", title="XTerm", spec=SPEC, command=("xterm",), created=0.0, job_id="1.local")


def keys(interface: str) -> set[str]:
    """The keys of an interface in models.ts."""
    found = re.search(rf"export interface {interface} {{\n(.*?)\n}}", API, re.DOTALL)
    assert found, interface
    return set(re.findall(r"^  (\w+)\??:", found[1], re.MULTILINE))


def test_a_session_has_the_keys_that_the_frontend_reads() -> None:
    assert keys("ISession") == set(describe(Session(RECORD, JOB), "/"))


def test_a_spec_and_a_job_have_the_keys_that_the_frontend_reads() -> None:
    assert keys("IJobSpec") == set(SPEC.to_json())
    assert keys("IJob") == set(JOB.to_json())


def test_the_frontend_knows_every_state() -> None:
    found = re.search(r"export type SessionState =(.*?);", API, re.DOTALL)
    assert found
    assert set(re.findall(r"'(\w+)'", found[1])) == {state.value for state in SessionState}
