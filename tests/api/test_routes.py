"""REST as scripts use it, against a real server with real jobs."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from qconnect_web.api import HANDLERS
from qconnect_web.api.installation import OPENAPI
from qconnect_web.errors import QConnectError
from qconnect_web.http.base import JOB
from qconnect_web.http.statuses import STATUS, status_of
from qconnect_web.private_files import seal
from tests.support.deadline import eventually
from tests.support.servers import Answer, JupyterServer

API = yaml.safe_load(OPENAPI.read_text())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    home = tmp_path_factory.mktemp("home")
    server = JupyterServer(home, prefix="/a%40b/", config={"QConnect": {"max_starts_per_minute": 0}}).start()
    yield server
    server.close()


def follows(data: Any, schema: str) -> None:
    """Fails unless `data` is what the OpenAPI file says, with no key that it does not know."""
    known = API["components"]["schemas"][schema]
    jsonschema.validate(data, {**known, "components": API["components"]})
    assert set(data) <= set(known["properties"]) | {"client_url"}


def refused(answer: Answer, status: int, reason: str) -> str:
    """The message of an error of the one shape."""
    assert answer.status == status, answer.body
    data = answer.json()
    assert set(data) == {"message", "reason", *(["fields"] if status == 422 else [])}
    assert data["reason"] == reason
    return str(data["message"])


def test_every_route_is_described_and_every_description_is_a_route() -> None:
    described = {
        (re.sub(r"\{.*?\}", "*", path.removeprefix("/qconnect/")), verb)
        for path, item in API["paths"].items()
        for verb in item
        if verb in ("get", "post", "put", "patch", "delete")
    }
    served = {
        (pattern.replace(JOB, "*").replace("([A-Za-z0-9._-]{1,64})", "*").replace("\\", ""), verb)
        for pattern, kind in HANDLERS
        for verb in ("get", "post", "put", "patch", "delete")
        if verb in vars(kind)
    }
    assert described == served


def test_the_description_is_served(server: JupyterServer) -> None:
    answer = server.request("GET", "qconnect/api/openapi.yaml")
    assert yaml.safe_load(answer.body) == API


def test_every_error_has_a_status() -> None:
    def heirs(kind: type[QConnectError]) -> set[type[QConnectError]]:
        return {kind} | {heir for child in kind.__subclasses__() for heir in heirs(child)}

    answered = [kind for kind in heirs(QConnectError) if not kind.__module__.startswith("qconnect_web.cli.")]
    assert {status_of(kind("m")) for kind in answered} == set(STATUS.values())


def test_the_catalogue_follows_its_description(server: JupyterServer) -> None:
    apps = server.request("GET", "qconnect/api/apps").json()["apps"]
    for app in apps:
        follows(app, "App")
    names = {app["name"]: app for app in apps}
    assert names["xterm"]["available"]
    assert not names["matlab"]["available"]
    assert "`matlab`" in names["matlab"]["reason"]
    icon = server.request("GET", "qconnect/api/apps/xterm/icon")
    assert icon.headers["Content-Type"] == "image/svg+xml"
    assert b"<svg" in icon.body


def test_an_examination_follows_its_description(server: JupyterServer) -> None:
    answer = server.request("GET", "qconnect/api/doctor")
    assert answer.status == 200
    follows(answer.json(), "Examination")
    checks = {finding["check"] for finding in answer.json()["findings"]}
    assert {"batch system", "sessions folder", "transport", "HTML5 client"} <= checks
    assert server.token not in answer.body.decode()
    assert server.request("GET", "qconnect/api/doctor", auth=False).status == 403


def test_the_queues_and_the_batch_system_are_told(server: JupyterServer) -> None:
    answer = server.request("GET", "qconnect/api/queues").json()
    assert answer["scheduler"] == {"name": "local", "why": "The site's settings say so."}
    (queue,) = answer["queues"]
    follows(queue, "Queue")
    assert (queue["name"], queue["default"], queue["max_cores"]) == ("local", True, os.cpu_count())


def test_a_session_from_start_to_oblivion(server: JupyterServer) -> None:
    spec = {"name": "my ü $(x) terminal", "cores": 1, "memory": "512MB", "walltime": "00:10:00"}
    answer = server.request("POST", "qconnect/api/sessions", {"app": "xterm", "spec": spec})
    assert answer.status == 201
    session = answer.json()
    follows(session, "Session")
    assert session["name"] == spec["name"]
    assert answer.headers["Location"] == f"{server.prefix}qconnect/api/sessions/{session['id']}"
    assert session["url"] == f"{server.prefix}qconnect/{session['id']}/"
    ready = server.wait_for(session["id"], "READY")
    follows(ready, "Session")
    assert 0 < ready["walltime_left"] <= 600
    assert server.session(session["id"].partition(".")[0])["id"] == session["id"]
    assert session["id"] in [item["id"] for item in server.sessions()]
    path = f"qconnect/api/sessions/{session['id']}"
    refused(server.request("DELETE", path), 409, "still-alive")
    assert "job.log" in server.request("GET", f"{path}/log").json()["log"]
    assert server.request("GET", f"{path}/script").json()["script"].startswith("#!/bin/bash")
    ended = server.end(session["id"])
    assert ended["state"] == "ENDED"
    assert server.request("POST", f"{path}/stop").status == 200
    assert server.request("DELETE", path).status == 204
    refused(server.request("GET", path), 404, "unknown-session")
    told = [line for line in server.log.splitlines() if f" of session {session['id']} (xterm) from " in line]
    deeds = ["start", "remove", "stop", "end", "stop", "remove"]
    assert [line.split("qconnect: ")[1].split()[0] for line in told] == deeds
    assert [line.rpartition("from ")[2] for line in told] == [
        *("127.0.0.1: done", "127.0.0.1: still-alive", "127.0.0.1: done"),
        *("batch: ended", "127.0.0.1: done", "127.0.0.1: done"),
    ]


def test_a_damaged_session_is_removed_by_the_key_that_it_goes_by(server: JupyterServer) -> None:
    folder = server.home / ".local/share/qconnect/sessions/broken-one"
    folder.mkdir(mode=0o700, parents=True)
    content = folder / "session.json"
    content.touch(0o600)
    content.write_bytes(seal({"key": "broken-one"}))
    path = f"qconnect/api/sessions/{folder.name}"
    shown = server.request("GET", path).json()
    follows(shown, "Session")
    assert (shown["id"], shown["state"]) == ("broken-one", "FAILED")
    assert str(content) in shown["reason"]
    assert server.request("DELETE", path).status == 204
    assert not folder.exists()
    refused(server.request("GET", path), 404, "unknown-session")


def test_the_same_key_gives_the_same_session(server: JupyterServer) -> None:
    def start(_: int) -> str:
        headers = {"Idempotency-Key": "click-1"}
        answer = server.request("POST", "qconnect/api/sessions", {"app": "xterm"}, headers)
        assert answer.status == 201, answer.body
        return str(answer.json()["id"])

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(start, range(8)))
    assert len(ids) == 1
    server.end(ids.pop())


def test_a_program_that_fails_says_so_with_its_log(server: JupyterServer) -> None:
    job_id = server.launch("command", command=["bash", "-c", "echo the reason is ü >&2; exit 3"])["id"]
    failed = server.wait_for(job_id, "FAILED")
    assert failed["exit_status"] == 3
    assert "exit status 3" in failed["reason"]
    assert "the reason is ü" in server.request("GET", f"qconnect/api/sessions/{job_id}/log").json()["log"]


def test_a_program_that_is_not_there_is_named(server: JupyterServer) -> None:
    job_id = server.launch("command", command=["no-such-program-here"])["id"]
    assert "no-such-program-here" in server.wait_for(job_id, "FAILED")["reason"]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["/usr/bin/xterm", "-e", "sleep 9"], "xterm"),
        (["bash", "-c", "xterm -e 'sleep 9' | cat"], "xterm"),
        (["bash", "-c", " "], "command"),
    ],
)
def test_any_command_goes_by_its_program(server: JupyterServer, command: list[str], name: str) -> None:
    session = server.launch("command", command=command)
    assert (session["name"], session["title"]) == (name, "Any command" if name == "command" else name)
    named = server.launch("command", command=command, spec={"name": "my own"})
    assert named["title"] == "my own"
    for started in (session, named):
        server.end(started["id"])


@pytest.mark.parametrize(
    ("body", "status", "reason", "hint"),
    [
        ({"app": "nonesuch"}, 404, "unknown-app", "nonesuch"),
        ({"app": "matlab"}, 400, "app-unavailable", "`matlab`"),
        ({}, 400, "bad-request", "xterm"),
        ([], 400, "bad-request", "object"),
        ({"app": "xterm", "colour": "red"}, 400, "bad-request", "colour"),
        ({"app": "xterm", "spec": {"cores": 0}}, 422, "bad-fields", "cores"),
        ({"app": "xterm", "spec": {"memory": "lots"}}, 422, "bad-fields", "4GB"),
        ({"app": "xterm", "spec": {"walltime": "soon"}}, 422, "bad-fields", "00:00"),
        ({"app": "xterm", "spec": {"host": "evil"}}, 422, "bad-fields", "host"),
        ({"app": "xterm", "command": ["ls"]}, 400, "bad-request", "Any command"),
        ({"app": "command"}, 400, "bad-request", "list of words"),
        ({"app": "command", "command": []}, 400, "bad-request", "list of words"),
        ({"app": "command", "command": ["a\0b"]}, 400, "bad-request", ""),
        ({"app": "xterm", "spec": {"cores": 60000}}, 422, "limits", "cores"),
    ],
)
def test_a_bad_request_is_refused_with_a_remedy(
    server: JupyterServer, body: Any, status: int, reason: str, hint: str
) -> None:
    def kept() -> set[Path]:
        return set((server.home / ".local/share/qconnect/sessions").glob("*/session.json"))

    before = kept()
    assert hint in refused(server.request("POST", "qconnect/api/sessions", body), status, reason)
    assert kept() == before


@pytest.mark.parametrize("job_id", ["999999", "999999.local", "4[2].server"])
def test_an_unknown_session_is_404(server: JupyterServer, job_id: str) -> None:
    refused(server.request("GET", f"qconnect/api/sessions/{job_id}"), 404, "unknown-session")


@pytest.mark.parametrize("job_id", ["abc", "1;ls", "..", "1%2f..", "12345678901"])
def test_what_is_no_job_id_is_404(server: JupyterServer, job_id: str) -> None:
    assert server.request("GET", f"qconnect/api/sessions/{job_id}").status == 404


def test_an_array_jobs_id_may_come_as_browsers_spell_it(server: JupyterServer) -> None:
    refused(server.request("GET", "qconnect/api/sessions/4%5B1%5D.server"), 404, "unknown-session")


def test_a_large_body_is_413(server: JupyterServer) -> None:
    body = {"app": "command", "command": ["x" * 70000]}
    refused(server.request("POST", "qconnect/api/sessions", body), 413, "too-large")


def test_a_form_is_not_json(server: JupyterServer) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(server.request("POST", "qconnect/api/sessions", {"app": "xterm"}, headers), 415, "not-json")


@pytest.mark.parametrize(("pattern", "kind"), HANDLERS)
def test_nobody_gets_in_without_credentials(server: JupyterServer, pattern: str, kind: type[Any]) -> None:
    path = "qconnect/" + pattern.replace(JOB, "1.local").replace("([A-Za-z0-9._-]{1,64})", "xterm").replace("\\", "")
    for verb in ("GET", "POST", "DELETE"):
        answer = server.request(verb, path, auth=False)
        assert answer.status in (403, 405), (verb, answer.status)
        assert verb.lower() not in vars(kind) or answer.status == 403


def test_a_cookie_cannot_change_anything_without_the_xsrf_token(server: JupyterServer) -> None:
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    opener.open(f"{server.url}login?token={server.token}", timeout=10).close()
    cookies = {cookie.name: str(cookie.value) for cookie in jar}
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    assert server.request("GET", "qconnect/api/sessions", None, headers, auth=False).status == 200
    body, before = {"app": "xterm"}, len(server.sessions())
    assert server.request("POST", "qconnect/api/sessions", body, headers, auth=False).status == 403
    foreign = {**headers, "Origin": "https://evil.example"}
    assert server.request("POST", "qconnect/api/sessions", body, foreign, auth=False).status == 403
    assert len(server.sessions()) == before
    headers["X-XSRFToken"] = cookies["_xsrf"]
    answer = server.request("POST", "qconnect/api/sessions", body, headers, auth=False)
    assert answer.status == 201
    server.end(answer.json()["id"])


def test_without_its_token_jupyter_would_carry_out_what_a_cookie_asks(tmp_path: Path) -> None:
    server = JupyterServer(tmp_path, arguments=("--ServerApp.disable_check_xsrf=True",)).start()
    try:
        jar = CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        opener.open(f"{server.url}login?token={server.token}", timeout=10).close()
        headers = {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)}
        answer = server.request("POST", "qconnect/api/sessions", {"app": "xterm"}, headers, auth=False)
        assert answer.status == 201
        server.end(answer.json()["id"])
    finally:
        server.close()


def test_limits_are_named_and_settings_may_stand_on_the_command_line(tmp_path: Path) -> None:
    limits = ("--QConnect.max_sessions=1", "--QConnect.max_starts_per_minute=2", "--QConnect.scheduler=local")
    server = JupyterServer(tmp_path, arguments=limits).start()
    try:
        first = server.launch()["id"]
        answer = server.request("POST", "qconnect/api/sessions", {"app": "xterm"})
        assert "End one" in refused(answer, 429, "too-many")
        server.end(first)
        server.end(server.launch()["id"])
        answer = server.request("POST", "qconnect/api/sessions", {"app": "xterm"})
        assert "Wait a minute" in refused(answer, 429, "too-many")
        assert len(server.sessions()) == 2
    finally:
        server.close()


def test_a_sessions_folder_that_cannot_be_written_starts_nothing(tmp_path: Path) -> None:
    full = Path("/proc/qconnect-cannot-write-here")
    server = JupyterServer(tmp_path)
    server.config = {"QConnect": {"sessions_dir": str(tmp_path / "sessions")}}
    server.start()
    try:
        eventually((tmp_path / "sessions").exists, 10, "the sessions folder that the server makes")
        (tmp_path / "sessions").rename(tmp_path / "gone")
        (tmp_path / "sessions").symlink_to(full)
        answer = server.request("POST", "qconnect/api/sessions", {"app": "xterm"})
        assert str(tmp_path / "sessions") in refused(answer, 502, "storage-failed")
        eventually(lambda: not [name for name in server.leftovers().values() if "local/runner.py" in name], 5)
    finally:
        server.close()


def test_a_wrong_setting_is_named_and_stops_only_us(tmp_path: Path) -> None:
    server = JupyterServer(tmp_path, config={"QConnect": {"scheduler": "torqe"}}).start()
    try:
        assert server.request("GET", "qconnect/api/apps").status == 404
        assert "'scheduler'" in server.log
        assert "torqe" in server.log
        assert "AttributeError" not in server.log
    finally:
        server.close()


def test_changes_are_events(server: JupyterServer) -> None:
    from websockets.sync.client import connect

    address = f"{server.url.replace('http', 'ws', 1)}api/events/subscribe"
    headers = {"Authorization": f"token {server.token}"}
    seen: list[dict[str, Any]] = []
    with connect(address, additional_headers=headers) as stream:
        job_id = server.launch()["id"]
        while not any(event["state"] == "READY" for event in seen):
            event = json.loads(stream.recv(timeout=30))
            if event["schema_id"] == "https://qconnect-web.readthedocs.io/events/session/v1":
                seen.append(event)
    assert {event["id"] for event in seen} == {job_id}
    assert set(seen[0]) >= {"id", "app", "name", "state", "reason", "url"}
    server.end(job_id)
