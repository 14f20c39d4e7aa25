"""The pages as a browser asks for them, against a real server with real sessions."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest
import websockets
from websockets.exceptions import InvalidStatus

from qconnect_web.clients.xpra import agent
from qconnect_web.pages.viewers import Owners, size_of
from tests.support.servers import Answer, JupyterServer

VIEWER = "0123456789abcdef"
MOST_PAGES = 6


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, browser_code: None) -> Iterator[JupyterServer]:
    config = {"QConnect": {"max_live_websockets": MOST_PAGES}}
    server = JupyterServer(tmp_path_factory.mktemp("home"), prefix="/a%40b/", config=config).start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def session(server: JupyterServer) -> dict[str, Any]:
    started = server.launch("xterm")
    return server.wait_for(started["id"], "READY")


def page(server: JupyterServer, path: str) -> tuple[Answer, str]:
    answer = server.request("GET", f"qconnect/{path}")
    return answer, answer.body.decode()


def static(server: JupyterServer, text: str, name: str) -> str:
    """The path, below the base URL, of one of our files as a page names it."""
    found = re.search(rf'"{re.escape("/a%40b/")}(qconnect/static/[0-9a-f]+/){name}"', text)
    assert found, f"the page does not name {name}"
    return found[1] + name


def policy(answer: Answer) -> dict[str, list[str]]:
    rules = [rule.split() for rule in answer.headers["Content-Security-Policy"].split(";")]
    return {rule[0]: rule[1:] for rule in rules}


def refuses_strangers(answer: Answer) -> None:
    """The headers that every page of ours carries."""
    rules = policy(answer)
    assert rules["script-src"] == ["'self'"]
    assert rules["default-src"] == ["'none'"]
    assert rules["frame-ancestors"] == ["'self'"]
    assert rules["base-uri"] == rules["form-action"] == ["'none'"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["", "999/", "nonsense/"])
def test_every_page_runs_only_our_own_files(server: JupyterServer, path: str) -> None:
    answer, text = page(server, path)
    refuses_strangers(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]* src=)", text)
    assert not re.search(r"<[^>]+\s(on\w+|style)=", text)


def test_the_viewer_page_names_its_session(server: JupyterServer, session: dict[str, Any]) -> None:
    answer, text = page(server, f"{session['id']}/")
    assert answer.status == 200
    refuses_strangers(answer)
    assert f'data-session="{session["id"]}"' in text
    assert 'data-base="/a%40b/"' in text


def test_the_number_alone_opens_the_session_and_the_slash_is_added(
    server: JupyterServer, session: dict[str, Any]
) -> None:
    number = session["id"].partition(".")[0]
    assert f'data-session="{session["id"]}"' in page(server, f"{number}/")[1]
    assert f'data-session="{session["id"]}"' in page(server, number)[1]


@pytest.mark.parametrize("path", ["999/", "999.nowhere/", "nonsense/", "%2e%2e%2f/", "<b>x/", "1;2/"])
def test_an_unknown_session_is_404_with_those_that_there_are(
    server: JupyterServer, session: dict[str, Any], path: str
) -> None:
    answer, text = page(server, path.replace("<", "%3C").replace(">", "%3E"))
    assert answer.status == 404
    assert f'href="{session["url"]}"' in text
    assert "<b>x" not in text


def test_a_session_that_has_ended_is_not_among_them(server: JupyterServer, session: dict[str, Any]) -> None:
    ended = server.end(server.launch("xterm")["id"])
    assert ended["state"] == "ENDED"
    text = page(server, "999/")[1]
    assert f'href="{session["url"]}"' in text
    assert ended["url"] not in text


def test_a_session_goes_by_the_name_that_its_user_gave_it(server: JupyterServer) -> None:
    named = server.launch("xterm", spec={"name": "Alpine <b>survey"})
    assert named["title"] == "Alpine <b>survey"
    for path in (f"{named['id']}/", "999/"):
        assert "Alpine &lt;b&gt;survey" in page(server, path)[1]
    server.end(named["id"])


def test_the_home_page_needs_no_slash_and_pages_answer_to_head(server: JupyterServer, session: dict[str, Any]) -> None:
    assert 'class="home"' in page(server, "")[1]
    assert server.request("GET", "qconnect").body == server.request("GET", "qconnect/").body
    for path in ("qconnect/", f"qconnect/{session['id']}/", "qconnect/999/"):
        told, asked = server.request("HEAD", path), server.request("GET", path)
        assert told.status == asked.status
        assert told.body == b""
        assert told.headers["Content-Length"] == asked.headers["Content-Length"]


def test_a_stranger_is_sent_to_the_login_page(server: JupyterServer, session: dict[str, Any]) -> None:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: Any) -> None:
            return None

    opener = urllib.request.build_opener(Stay)
    for path in ("", f"{session['id']}/"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            opener.open(f"{server.url}qconnect/{path}", timeout=10)
        with refused.value as answer:
            assert answer.status == 302
            assert answer.headers["Location"].startswith("/a%40b/login?next=")


def test_our_files_are_kept_for_ever_and_asked_for_never(server: JupyterServer) -> None:
    path = static(server, page(server, "")[1], "home.js")
    answer = server.request("GET", path)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_is_sent_compressed_to_those_who_take_it(server: JupyterServer) -> None:
    path = static(server, page(server, "")[1], "home.js")
    plain = server.request("GET", path, headers={"Accept-Encoding": "gzip;q=0"})
    packed = server.request("GET", path, headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == plain.body
    assert plain.headers["Etag"] != packed.headers["Etag"]


def test_head_and_etag_are_true(server: JupyterServer) -> None:
    path = static(server, page(server, "")[1], "home.js")
    whole = server.request("GET", path)
    head = server.request("HEAD", path)
    assert head.status == 200
    assert head.body == b""
    assert head.headers["Content-Length"] == str(len(whole.body))
    assert head.headers["Etag"] == whole.headers["Etag"]
    again = server.request("GET", path, headers={"If-None-Match": whole.headers["Etag"]})
    assert again.status == 304
    assert again.body == b""


def test_a_part_of_a_file_is_of_the_file_itself(server: JupyterServer) -> None:
    path = static(server, page(server, "")[1], "home.js")
    plain = server.request("GET", path)
    assert plain.headers["Accept-Ranges"] == "bytes"
    size, tag = len(plain.body), plain.headers["Etag"]
    for packed in ({}, {"Accept-Encoding": "gzip"}):
        part = server.request("GET", path, headers={"Range": "bytes=10-19", **packed})
        assert (part.status, part.body) == (206, plain.body[10:20])
        assert part.headers["Content-Range"] == f"bytes 10-19/{size}"
        assert part.headers["Content-Length"] == "10"
        assert part.headers["Etag"] == tag
        assert part.headers["X-Content-Type-Options"] == "nosniff"
        assert "Content-Encoding" not in part.headers
    assert "Accept-Ranges" not in server.request("GET", path, headers={"Accept-Encoding": "gzip"}).headers
    beyond = server.request("GET", path, headers={"Range": f"bytes={size}-"})
    assert (beyond.status, beyond.body) == (416, b"")
    assert beyond.headers["Content-Range"] == f"bytes */{size}"
    assert beyond.headers["Cache-Control"] == "no-store"


def test_a_part_is_sent_only_of_the_file_that_the_browser_has(server: JupyterServer) -> None:
    path, ten = static(server, page(server, "")[1], "home.js"), {"Range": "bytes=0-9"}
    tag = server.request("GET", path).headers["Etag"]
    packed = server.request("GET", path, headers={"Accept-Encoding": "gzip"}).headers["Etag"]
    assert server.request("GET", path, headers={**ten, "If-Range": tag}).status == 206
    for other in (packed, f"W/{tag}", '"x"', "Tue, 01 Jan 2030 00:00:00 GMT"):
        whole = server.request("GET", path, headers={**ten, "If-Range": other})
        assert (whole.status, len(whole.body) > 10) == (200, True), other
    assert server.request("GET", path, headers={**ten, "If-None-Match": tag}).status == 304
    head = server.request("HEAD", path, headers=ten)
    assert (head.status, int(head.headers["Content-Length"]) > 10) == (200, True)


@pytest.mark.parametrize(
    "name", ["../pages/live.py", "..%2fclients.py", "../agent/agent.js", "licences.txt", "nothing.js"]
)
def test_nothing_but_the_manifest_is_sent(server: JupyterServer, name: str) -> None:
    folder = static(server, page(server, "")[1], "home.js").removesuffix("home.js")
    assert server.request("GET", folder + name).status == 404


def test_an_old_digest_is_not_answered_with_new_files(server: JupyterServer) -> None:
    assert server.request("GET", f"qconnect/static/{'0' * 32}/home.js").status == 404
    assert server.request("GET", f"qconnect/client/{'0' * 32}/index.html").status == 404


# --- the live websocket --------------------------------------------------------------------------------------


def live_url(server: JupyterServer, job_id: str) -> str:
    return f"{server.url}qconnect/{job_id}/live".replace("http", "ws", 1)


async def beat(socket: Any, **said: Any) -> dict[str, Any]:
    """One heartbeat and its answer; what is pushed meanwhile is passed over."""
    await socket.send(json.dumps({"t": 7, "viewer": VIEWER, **said}))
    while True:
        answer = dict(json.loads(await asyncio.wait_for(socket.recv(), 10)))
        if answer["t"] == 7:
            return answer


def token(server: JupyterServer) -> dict[str, str]:
    return {"Authorization": f"token {server.token}"}


def cookie(server: JupyterServer) -> str:
    """The cookie of a browser that has logged in."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    opener.open(f"{server.url}qconnect/?token={server.token}", timeout=10).close()
    return "; ".join(f"{item.name}={item.value}" for item in jar)


def test_a_heartbeat_is_answered_with_the_session(server: JupyterServer, session: dict[str, Any]) -> None:
    async def run() -> dict[str, Any]:
        async with websockets.connect(live_url(server, session["id"]), additional_headers=token(server)) as socket:
            return await beat(socket, size=[800, 600])

    answer = asyncio.run(run())
    assert set(answer) == {"t", "session", "client", "owner", "viewers", "question", "trouble", "time"}
    assert answer["session"]["state"] == "READY"
    assert answer["owner"] == {"viewer": VIEWER, "size": [800, 600]}
    assert answer["viewers"] == 1
    client = answer["client"]
    assert client["sandbox"] is False
    assert client["hold_keys"] is False
    assert client["path"] == f"/a%40b/qconnect/{session['id']}/ws/{VIEWER}"
    page = server.request("GET", client["url"].removeprefix("/a%40b/"))
    assert page.status == 200
    assert b"<script>" + agent() in page.body
    assert "'unsafe-inline'" not in policy(page)["script-src"]


def test_what_the_user_does_is_activity_and_a_heartbeat_is_none(server: JupyterServer, session: dict[str, Any]) -> None:
    def last_activity() -> str:
        return str(server.request("GET", "api/status").json()["last_activity"])

    async def run() -> None:
        async with websockets.connect(live_url(server, session["id"]), additional_headers=token(server)) as socket:
            await beat(socket, size=[800, 600])
            before = last_activity()
            await beat(socket, input=False)
            server.request("GET", "qconnect/api/sessions")  # pages ask for it by themselves
            assert last_activity() == before
            await beat(socket, input=True)
            assert last_activity() > before

    asyncio.run(run())


def sizes_of(server: JupyterServer, key: str) -> str:
    """What xrandr says of the display of a session, as the session itself may ask."""
    folder = server.home / ".local/share/qconnect/sessions" / key
    display = json.loads((folder / "connection.json").read_text().splitlines()[0])["display"]
    (runtime,) = re.findall(r"runtime folder (\S+)", (folder / "job.log").read_text())
    env = {"DISPLAY": display, "XAUTHORITY": f"{runtime}/Xauthority", "PATH": os.environ["PATH"]}
    return subprocess.run(["xrandr"], env=env, capture_output=True, text=True, check=True).stdout


def test_a_display_knows_the_size_of_the_window_that_waited_for_it(server: JupyterServer) -> None:
    job_id = server.launch("xterm")["id"]

    async def wait() -> None:
        async with websockets.connect(live_url(server, job_id), additional_headers=token(server)) as socket:
            said = await beat(socket, size=[1234, 567])
            while said["session"]["state"] != "READY":
                said = json.loads(await socket.recv())  # told without being asked

    asyncio.run(asyncio.wait_for(wait(), 30))
    sessions = server.home / ".local/share/qconnect/sessions"
    (key,) = [path.parent.name for path in sessions.glob("*/screen") if f'"job":"{job_id}"' in _connection(path)]
    assert "1234x567" in sizes_of(server, key)
    server.end(job_id)


def _connection(beside: Path) -> str:
    path = beside.with_name("connection.json")
    return path.read_text().replace('": "', '":"') if path.exists() else ""


@pytest.mark.parametrize(
    ("origin", "opens"),
    [
        ("own", True),
        ("http://evil.example", False),
        ("null", False),
        (None, False),
        ("other port", False),
    ],
)
def test_a_cookie_opens_the_heartbeat_only_from_our_own_page(
    server: JupyterServer, session: dict[str, Any], origin: str | None, opens: bool
) -> None:
    known = {"own": server.origin, "other port": server.origin[:-1] + ("1" if server.origin[-1] != "1" else "2")}
    headers = {"Cookie": cookie(server)} | ({"Origin": known.get(origin, origin)} if origin else {})

    async def run() -> int:
        try:
            async with websockets.connect(live_url(server, session["id"]), additional_headers=headers):
                return 101
        except InvalidStatus as error:
            return error.response.status_code

    assert asyncio.run(run()) == (101 if opens else 403)


def test_a_stranger_and_an_unknown_session_open_no_heartbeat(server: JupyterServer, session: dict[str, Any]) -> None:
    async def status(job_id: str, headers: dict[str, str]) -> int:
        with pytest.raises(InvalidStatus) as refused:
            async with websockets.connect(live_url(server, job_id), additional_headers=headers):
                pass
        return refused.value.response.status_code

    assert asyncio.run(status(session["id"], {"Origin": server.origin})) == 403
    assert asyncio.run(status("999", token(server))) == 404


@pytest.mark.parametrize("nonsense", ["", "[]", "{}", '{"viewer": "../x"}', "x" * 5000, '{"viewer": 7}'])
def test_what_is_no_heartbeat_ends_the_line(server: JupyterServer, session: dict[str, Any], nonsense: str) -> None:
    async def run() -> int:
        async with websockets.connect(live_url(server, session["id"]), additional_headers=token(server)) as socket:
            await socket.send(nonsense)
            await asyncio.wait_for(socket.wait_closed(), 10)
            return int(socket.close_code or 0)

    assert asyncio.run(run()) == 1008


def test_a_change_is_told_without_being_asked(server: JupyterServer) -> None:
    async def run(job_id: str) -> list[str]:
        states = []
        async with websockets.connect(live_url(server, job_id), additional_headers=token(server)) as socket:
            states.append((await beat(socket))["session"]["state"])
            while states[-1] not in ("READY", "FAILED"):
                states.append(json.loads(await asyncio.wait_for(socket.recv(), 20))["session"]["state"])
            await asyncio.to_thread(server.end, job_id)
            while states[-1] not in ("ENDED", "FAILED"):
                states.append(json.loads(await asyncio.wait_for(socket.recv(), 20))["session"]["state"])
        return states

    states = asyncio.run(run(server.launch("xterm")["id"]))
    assert "READY" in states
    assert states[-1] == "ENDED"


# --- who decides on the size ---------------------------------------------------------------------------------


def test_no_more_pages_than_the_site_allows_show_sessions(server: JupyterServer, session: dict[str, Any]) -> None:
    async def many() -> None:
        url, headers = live_url(server, session["id"]), token(server)
        async with AsyncExitStack() as stack:
            pages = [
                await stack.enter_async_context(websockets.connect(url, additional_headers=headers))
                for _ in range(MOST_PAGES)
            ]
            with pytest.raises(InvalidStatus) as refused:
                await websockets.connect(url, additional_headers=headers)
            assert refused.value.response.status_code == 429
            assert b"Close some of them" in refused.value.response.body
            await pages[0].close()
            await stack.enter_async_context(websockets.connect(url, additional_headers=headers))

    asyncio.run(many())


def seats(*viewers: str) -> Owners:
    owners = Owners()
    for viewer in viewers:
        owners.join(viewer)
        owners.update(viewer, viewer, {"size": [800, 600]})
    return owners


def owner(owners: Owners) -> str | None:
    return owners.owner and owners.owner["viewer"]


def test_the_first_viewer_decides_and_a_tab_in_the_background_does_not_take_over() -> None:
    assert owner(seats("a", "b")) == "a"


def test_the_viewer_focused_last_decides() -> None:
    owners = seats("a", "b")
    owners.update("b", "b", {"size": [300, 200], "focus": True})
    assert owners.owner == {"viewer": "b", "size": (300, 200)}
    owners.update("a", "a", {"size": [800, 600], "focus": True})
    assert owner(owners) == "a"


def test_when_the_owner_leaves_or_hides_another_decides() -> None:
    owners = seats("a", "b")
    owners.update("a", "a", {"size": None})
    assert owner(owners) == "b"
    owners.leave("b")
    assert owner(owners) is None


def test_a_tab_that_comes_back_takes_the_place_of_its_dead_connection() -> None:
    owners = seats("a")
    owners.join("a again")
    owners.update("a again", "a", {"size": [500, 400], "focus": True})
    assert owners.owner == {"viewer": "a", "size": (500, 400)}
    owners.leave("a again")
    assert owner(owners) is None


@pytest.mark.parametrize(
    "size", [None, [], [800], [0, 0], [800, 99999], [800.5, 600], ["800", 600], {"w": 1}, [True, 600]]
)
def test_what_is_no_size_is_none(size: Any) -> None:
    assert size_of(size) is None


def test_all_are_woken_when_the_owner_changes_and_only_then() -> None:
    owners = seats("a", "b")
    before = owners.moved
    owners.update("a", "a", {"size": [800, 600]})
    assert not before.is_set()
    owners.update("b", "b", {"size": [300, 200], "focus": True})
    assert before.is_set()
    assert not owners.moved.is_set()


def test_the_pages_escape_what_they_show(tmp_path: Path) -> None:
    from qconnect_web.pages.handlers import templates

    bad = '"><script>alert(1)</script>'
    session = {"title": bad, "id": bad, "url": bad, "reason": bad}
    text = templates.get_template("viewer.html").render(
        static="/s/", base_url="/", spawn=bad, unseen_s=300, session=session
    )
    text += templates.get_template("unknown.html").render(static="/s/", modules=[], base_url="/", sessions=[session])
    assert "<script>alert" not in text
