"""The browser code and the server mean the same JSON: openapi.yaml makes its types, and real answers satisfy it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websockets
import yaml
from jsonschema import Draft202012Validator, ValidationError

from qconnect_web.api.installation import OPENAPI
from qconnect_web.proxy.failures import Trouble
from qconnect_web.schedulers.commands import QUERY_TIMEOUT, SUBMIT_TIMEOUT
from qconnect_web.transports.login_questions import Question
from qconnect_web.values.job import Job, JobSpec, JobState
from qconnect_web.values.session import SessionState
from tests.support.servers import REPOSITORY, JupyterServer

COMPONENTS = yaml.safe_load(OPENAPI.read_text())["components"]
BROWSER = REPOSITORY / "labextension/src"
VIEWER = "viewer-of-a-test"
LIMITED = """\
title: Limited
description: Everything that an app file can say of resources and of its form
command: ["true"]
resources: {cores: 2, memory: 2GB, walltime: "04:00:00", queue: short, nodes: 1, gpus: 0, account: p1, native: [-l x]}
form:
  name: false
  cores: {min: 1, max: 4}
  memory: {min: 1GB, max: 4GB}
  walltime: {max: "12:00:00"}
  queue: {choices: [short, long]}
  gpus: {max: 2, types: [a100]}
  account: {choices: [p1, p2]}
  nodes: {max: 2}
  mail: false
  native: false
fields:
  - {name: file, type: path, label: Data, help: What is opened, required: true}
  - {name: scale, type: number, min: 1, max: 4, default: 2}
  - {name: renderer, type: choice, choices: [mesa, gpu], default: mesa}
  - {name: stereo, type: checkbox, value: --stereo}
when:
  - if: {renderer: gpu, cores: {min: 2}, queue: [short, long]}
    set: {gpus: 1}
    max: {memory: 2GB}
    hide: [stereo]
"""


def check(schema: str, value: Any) -> None:
    """Raises ValidationError unless the value is as this schema of openapi.yaml says."""
    Draft202012Validator({"$ref": f"#/components/schemas/{schema}", "components": COMPONENTS}).validate(value)


def closed(schema: str) -> set[str]:
    """The keys of a schema, which has no others and requires all."""
    found = COMPONENTS["schemas"][schema]
    assert found["additionalProperties"] is False
    assert set(found["required"]) == set(found["properties"])
    return set(found["properties"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    home = tmp_path_factory.mktemp("home")
    apps = home / ".config/qconnect/apps"
    apps.mkdir(parents=True)
    (apps / "limited.yaml").write_text(LIMITED)
    server = JupyterServer(home).start()
    yield server
    server.close()


def test_the_schemas_are_schemas() -> None:
    for schema in COMPONENTS["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_a_value_that_is_otherwise_is_noticed() -> None:
    with pytest.raises(ValidationError):
        check("JobSpec", {**JobSpec(name="xterm").to_json(), "more": 1})
    with pytest.raises(ValidationError):
        check("LoginAnswer", {"key": "k"})


@pytest.mark.parametrize(
    ("path", "schema"), [("apps", "Catalogue"), ("queues", "QueueList"), ("doctor", "Examination")]
)
def test_an_answer_is_as_described(server: JupyterServer, path: str, schema: str) -> None:
    check(schema, server.request("GET", f"qconnect/api/{path}").json())


def test_each_form_is_a_json_schema(server: JupyterServer) -> None:
    catalogue = server.request("GET", "qconnect/api/apps").json()
    assert catalogue["problems"] == []
    apps = {app["name"]: app for app in catalogue["apps"]}
    assert len(apps) > 5
    for app in apps.values():
        Draft202012Validator.check_schema(app["form"])
    fields = apps["limited"]["form"]["properties"]
    assert set(fields) == {"cores", "memory", "walltime", "queue", "gpus", "gpu_type", "account", "nodes", "fields"}
    assert fields["memory"]["x-maximum"] == "4GB"
    assert fields["queue"]["enum"] == ["short", "long"]


def test_a_session_is_as_described_from_start_to_end(server: JupyterServer) -> None:
    started = server.launch("command", command=["sleep", "600"])
    check("Session", started)
    check("Session", server.wait_for(started["id"], "READY"))
    ended = server.end(started["id"])
    check("Session", ended)
    assert ended["ended"]
    check("SessionList", server.request("GET", "qconnect/api/sessions").json())
    assert set(ended) == closed("Session")


def test_a_refusal_is_as_described(server: JupyterServer) -> None:
    answer = server.request("POST", "qconnect/api/sessions", {"app": "nonesuch"})
    assert answer.status == 404
    check("Error", answer.json())


def test_what_a_viewer_says_is_taken_and_what_it_hears_is_as_described(server: JupyterServer) -> None:
    job_id = server.launch("xterm")["id"]
    messages: list[dict[str, Any]] = [
        {"t": 0.5, "viewer": VIEWER, "size": None},
        {"t": 1, "viewer": VIEWER, "client": True, "focus": True, "size": [800, 600], "input": True, "again": True},
        {"t": 2, "viewer": VIEWER, "answer": {"key": "0123456789abcdef", "text": None}},
        {"t": 3, "viewer": VIEWER, "answer": {"key": "0123456789abcdef", "text": "yes"}},
    ]

    async def talk() -> list[dict[str, Any]]:
        address = f"{server.url}qconnect/{job_id}/live".replace("http", "ws", 1)
        heard: list[dict[str, Any]] = []
        async with websockets.connect(address, additional_headers={"Authorization": f"token {server.token}"}) as socket:
            for message in messages:
                check("LiveRequest", message)
                await socket.send(json.dumps(message))
                while not heard or heard[-1]["t"] != message["t"]:
                    heard.append(json.loads(await asyncio.wait_for(socket.recv(), 10)))
        return heard

    server.wait_for(job_id, "READY")
    heard = asyncio.run(talk())
    for answer in heard:
        check("LiveAnswer", answer)
    assert heard[-1]["client"], "the display's address was among what was checked"
    assert {"viewer": VIEWER, "size": [800, 600]} in [answer["owner"] for answer in heard]
    assert set(heard[-1]) == closed("LiveAnswer")
    server.end(job_id)


def test_what_a_viewer_hears_seldom_is_as_described() -> None:
    check("LoginQuestion", Question("n1", "Password:", confirm=False).to_json())
    check("Trouble", Trouble("n1 does not answer. Wait a minute.", "unreachable", 0.0).to_json())


def test_no_state_is_missing() -> None:
    assert set(COMPONENTS["schemas"]["SessionState"]["enum"]) == {state.value for state in SessionState}
    assert set(COMPONENTS["schemas"]["Job"]["properties"]["state"]["enum"]) == {state.value for state in JobState}
    check("Job", Job(id="1.local", state=JobState.UNKNOWN).to_json())


def test_a_start_is_waited_for_longer_than_the_server_waits_for_the_scheduler() -> None:
    found = re.search(r"CHANGE_WITHIN_MS = ([\d_]+);", (BROWSER / "core/request.ts").read_text())
    assert found
    assert int(found[1]) / 1000 > SUBMIT_TIMEOUT + QUERY_TIMEOUT


def test_no_type_of_the_wire_is_written_by_hand() -> None:
    """A key that only wire types have, declared anywhere else than in what is generated."""
    declared = re.compile(r"^\s*(?:readonly )?(?:walltime_left|takes_command|stale_since|node_memory)\??:\s", re.M)

    def suspects(path: Path) -> bool:
        return (
            "__tests__" not in path.parts
            and path.name != "openapi.ts"
            and bool(declared.search(path.read_text(encoding="utf-8")))
        )

    files = [path for kind in ("ts", "tsx") for path in BROWSER.rglob(f"*.{kind}")]
    assert len(files) > 20
    assert [path.name for path in files if suspects(path)] == []
