"""The launch form by REST: what may be asked for, what is refused at which field, the script, what is saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.test_frontend_contract import check
from tests.support.servers import Answer, JupyterServer

TOOL = """\
title: Tool
command: [xterm, -title, "{word}"]
setup: printf '%s' "$field_word" >"$HOME/setup-saw"
fields:
  - {name: word, type: text, default: plain}
  - {name: version, type: module, module: tool}
when:
  - if: {queue: local}
    max: {walltime: 12h}
"""
HOSTILE = "'; touch ~/ran; $(touch ~/ran) `touch ~/ran` \\"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    home = tmp_path_factory.mktemp("home")
    apps = home / ".config/qconnect/apps"
    apps.mkdir(parents=True)
    (apps / "tool.yaml").write_text(TOOL)
    settings = {"max_starts_per_minute": 0, "form": {"cores": {"max": 64}}}
    server = JupyterServer(home, config={"QConnect": settings}).start()
    yield server
    server.close()


def at(server: JupyterServer, method: str, path: str, body: Any = None) -> Answer:
    return server.request(method, f"qconnect/api/apps/{path}", body)


def test_the_form_is_as_described_with_limits_from_everybody(server: JupyterServer) -> None:
    form = at(server, "GET", "tool/form").json()
    check("LaunchForm", form)
    assert list(form["form"]["properties"]["fields"]["properties"]) == ["word", "version"]
    assert {limit["source"] for limit in form["limits"]} == {"site", "queue"}
    assert {"field": "gpus", "queue": "local", "source": "queue"}.items() <= next(
        limit for limit in form["limits"] if limit["field"] == "gpus"
    ).items()
    assert form["default_queue"] == "local"
    assert "account" in form["ignored"]
    assert form["folder"] == str(server.there / "work")
    assert at(server, "GET", "nosuch/form").status == 404


def test_what_is_wrong_is_told_by_field(server: JupyterServer) -> None:
    spec = {"cores": 0, "memory": "much", "fields": {"word": 1}}
    for answer in (
        at(server, "POST", "tool/script", {"spec": spec}),
        at(server, "POST", "tool/saved", {"name": "x", "spec": spec}),
        server.request("POST", "qconnect/api/sessions", {"app": "tool", "spec": spec}),
    ):
        assert answer.status == 422
        check("Error", answer.json())
        assert set(answer.json()["fields"]) == {"cores", "memory", "word"}
    long = server.request("POST", "qconnect/api/sessions", {"app": "tool", "spec": {"walltime": "13h"}})
    assert "while queue is local" in long.json()["fields"]["walltime"]
    account = server.request("POST", "qconnect/api/sessions", {"app": "tool", "spec": {"account": "p1"}})
    assert "knows nothing of it" in account.json()["fields"]["account"]
    gpus = server.request("POST", "qconnect/api/sessions", {"app": "tool", "spec": {"gpus": 999}})
    assert set(gpus.json()["fields"]) == {"gpus"}


def test_the_script_is_shown_and_nothing_is_submitted(server: JupyterServer) -> None:
    before = len(server.sessions())
    script = at(server, "POST", "tool/script", {"spec": {"walltime": "90 min", "memory": "1.5g"}}).json()["script"]
    assert "#PBS -l walltime=01:30:00" in script
    assert "#PBS -l mem=1536MB" in script
    assert len(server.sessions()) == before


def test_answers_reach_setup_and_program_as_text(server: JupyterServer) -> None:
    session = server.launch("tool", spec={"fields": {"word": HOSTILE}})
    assert session["spec"]["fields"] == {"word": HOSTILE}
    assert session["command"] == ["xterm", "-title", HOSTILE]
    server.wait_for(session["id"], "READY")
    assert (server.home / "setup-saw").read_text() == HOSTILE
    assert not (server.home / "ran").exists()
    again = server.launch("tool", spec=session["spec"])
    assert again["spec"] == session["spec"]
    for one in (session, again):
        server.end(one["id"])


def test_the_last_settings_are_used_when_that_is_asked_for(server: JupyterServer) -> None:
    asked = {"cores": 1, "memory": "700MB", "name": "mine", "fields": {"word": "kept"}}
    first = server.launch("tool", spec=asked, remember=True)
    other = server.launch("tool", spec={"memory": "800MB"})
    again = server.launch("tool", last=True)
    changed = server.launch("tool", last=True, spec={"memory": "900MB"})
    plain = server.launch("tool")
    assert (again["spec"]["memory"], again["spec"]["fields"]["word"], again["name"]) == ("700MB", "kept", "tool")
    assert (changed["spec"]["memory"], changed["spec"]["fields"]["word"]) == ("900MB", "kept")
    assert plain["spec"]["fields"]["word"] == "plain"
    assert at(server, "GET", "tool/form").json()["last"]["spec"] == {key: asked[key] for key in asked if key != "name"}
    for one in (first, other, again, changed, plain):
        server.end(one["id"])


def test_settings_are_saved_by_name_and_forgotten(server: JupyterServer) -> None:
    answer = at(server, "POST", "tool/saved", {"name": "big one", "spec": {"cores": 1, "memory": "2g"}})
    assert answer.status == 201
    check("Settings", answer.json())
    catalogue = server.request("GET", "qconnect/api/apps").json()
    check("Catalogue", catalogue)
    assert [app["saved"] for app in catalogue["apps"] if app["name"] == "tool"] == [[answer.json()]]
    assert at(server, "DELETE", f"tool/saved/{answer.json()['id']}").status == 204
    assert at(server, "GET", "tool/form").json()["saved"] == []
    assert at(server, "POST", "tool/saved", {"name": "", "spec": {}}).status == 400


def test_what_cannot_be_read_of_the_saved_is_said_and_starts_all_the_same(server: JupyterServer) -> None:
    at(server, "POST", "xterm/saved", {"name": "a", "spec": {}})
    path = server.home / ".config/qconnect/launch/xterm.json"
    path.write_text("{")
    assert str(path) in at(server, "GET", "xterm/form").json()["problems"]["saved"]
    session = server.launch("xterm", last=True, remember=True)
    server.end(session["id"])
    assert path.read_text() == "{"
    answer = at(server, "POST", "xterm/saved", {"name": "b", "spec": {}})
    assert answer.status == 502
    assert str(path) in answer.json()["message"]
