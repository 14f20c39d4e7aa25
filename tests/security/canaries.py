"""A session from its start to its end, on a server that logs all it can: its secrets, and what others could read."""

from __future__ import annotations

import json
import re
import secrets
import threading
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path

import websockets.sync.client as websockets
from websockets.typing import Origin, Subprotocol

from tests.clients.test_clients import www
from tests.support.servers import JupyterServer

VARIABLES = ("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN", "MY_PASSWORD", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN")


@dataclass
class Talkative(JupyterServer):
    """A server that logs at DEBUG, with secrets in its environment, and with a client that is not the node's."""

    canaries: dict[str, str] = field(default_factory=lambda: {name: secrets.token_hex(12) for name in VARIABLES})

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **self.canaries}

    def another_client(self) -> Path:
        """A client whose xpra must be asked for its version, which takes a while."""
        folder, program = www(self.home / "opt/share/xpra/www", "17.1"), self.home / "opt/bin/xpra"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\nsleep 0.3\necho 'xpra v9.9'\n")
        program.chmod(0o755)
        return self.there / folder.relative_to(self.home)


@dataclass
class Around:
    """Where a server's session folders are, how a path on a job's node is seen from here, and what a batch system
    keeps and shows of a job."""

    sessions: Path
    on_node: Callable[[Path], Path]
    batch: Callable[[str], str]


class Sampler(threading.Thread):
    """Reads arguments and environments of all processes of this machine, over and over; the server's own left out.

    Between fork and exec a child of the server is the server's image: the same program and arguments, and the same
    environment, which nobody but the user can read. It is left out as the server itself is. The arguments are read
    before the environment: an image that was read as another one can only be that one, or a later one.
    """

    def __init__(self, server: JupyterServer) -> None:
        super().__init__(daemon=True)
        self._own = self._image(Path(f"/proc/{server.pid}"))
        self._over = threading.Event()
        self.seen: set[bytes] = set()
        self.rounds = 0

    @staticmethod
    def _image(process: Path) -> tuple[Path, bytes]:
        return (process / "exe").readlink(), (process / "cmdline").read_bytes()

    def run(self) -> None:
        while not self._over.wait(0.005):
            self.rounds += 1
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):  # it ended
                    image = self._image(process)
                    if image != self._own:
                        self.seen.add(image[1] + b"\0" + (process / "environ").read_bytes())

    def text(self) -> str:
        self._over.set()
        self.join()
        return b"\n".join(self.seen).decode(errors="replace")


def log_in(server: JupyterServer) -> dict[str, str]:
    """A browser's cookies."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    opener.open(f"{server.url}qconnect/?token={server.token}", timeout=30).close()
    return {item.name: str(item.value) for item in jar}


def open_display(address: str, headers: dict[str, str], origin: str | None = None) -> None:
    with websockets.connect(
        address,
        additional_headers=headers,
        subprotocols=[Subprotocol("binary")],
        origin=Origin(origin) if origin else None,
    ):
        pass


def get_ticket(server: JupyterServer, page: str, cookie: str) -> str:
    """What the heartbeat gives a page whose client comes from the node."""
    with websockets.connect(f"{page}live", additional_headers={"Cookie": cookie}, origin=Origin(server.origin)) as live:
        live.send(json.dumps({"t": 1, "viewer": "viewer-0001", "client": True, "size": [800, 600]}))
        while not (client := json.loads(live.recv(20))["client"]):
            continue
    return str(re.findall(r"/t/([^/]+)/index.html", client["url"])[0])


def use(server: JupyterServer, job_id: str, cookies: dict[str, str]) -> tuple[str, str]:
    """Opens the display in all three ways, and asks for all there is and for more; the ticket, and all bodies."""
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    page = f"{server.url}qconnect/{job_id}/".replace("http", "ws", 1)
    open_display(f"{page}ws/viewer-0001", {"Cookie": cookie}, server.origin)
    open_display(f"{page}ws/viewer-0001", {"Authorization": f"token {server.token}"})
    ticket = get_ticket(server, page, cookie)
    open_display(f"{page}t/{ticket}/ws/viewer-0001", {}, "null")
    file = f"qconnect/{job_id}/t/{ticket}/index.html"  # is held until the batch system was asked why it hung up
    assert server.request("GET", file, auth=False).status == 200
    api = f"qconnect/api/sessions/{job_id}"
    asked = [api, f"{api}/log", f"{api}/script", "qconnect/api/sessions", "qconnect/api/apps", f"qconnect/{job_id}/"]
    asked += ["qconnect/999/", f"{api}9", "qconnect/api/queues", f"qconnect/?token={server.token}"]
    asked += [f"qconnect/{job_id}/ws/viewer-0001?token={server.token}", f"qconnect/{job_id}/t/{ticket}/%2e%2e/x"]
    texts = [server.request("GET", path, headers={"Cookie": cookie}).body.decode() for path in asked]
    for body in ({"app": "none"}, ["no object"], {"app": "xterm", "spec": {"cores": -1}}):
        texts.append(server.request("POST", "qconnect/api/sessions", body).body.decode())
    return ticket, "\n".join(texts)


def keys_of(folder: Path, on_node: Callable[[Path], Path]) -> dict[str, str]:
    """What the job made for itself: the lines of its keys, and the cookie of its X server."""
    found = {}
    for name in ("server.key", "client.key"):
        lines = [line for line in (folder / name).read_text().splitlines() if "KEY" not in line]
        found |= {f"{name}, line {number}": line for number, line in enumerate(lines) if len(line) > 20}
    (runtime,) = re.findall(r"runtime folder (\S+)", (folder / "job.log").read_text())
    return found | {"X cookie": (on_node(Path(runtime)) / "Xauthority").read_bytes()[-16:].hex()}


def texts_below(*folders: Path) -> str:
    """All files below these folders."""
    return "\n".join(
        path.read_text(errors="replace") for folder in folders for path in folder.rglob("*") if path.is_file()
    )


def told(server: Talkative, around: Around) -> tuple[dict[str, str], dict[str, str]]:
    """The secrets of a session from its start to its end; and what others could read, or what lands in logs."""
    sampler = Sampler(server)
    sampler.start()
    cookies = log_in(server)
    job_id = server.launch()["id"]
    server.wait_for(job_id, "READY")
    (folder,) = [path.parent for path in around.sessions.glob("*/connection.json")]
    known = {**server.canaries, "token": server.token, **keys_of(folder, around.on_node)}
    known |= {f"cookie {name}": value.strip('"') for name, value in cookies.items() if name != "_xsrf"}
    known["ticket"], bodies = use(server, job_id, cookies)
    batch = around.batch(job_id)
    server.end(job_id)
    kept = [path for path in folder.iterdir() if path.suffix in (".log", ".json", ".sh")]
    files = "\n".join(path.read_text(errors="replace") for path in kept)
    batch += around.batch(job_id)
    server.stop()
    places = {"bodies": bodies, "files": files, "batch system": batch, "processes": sampler.text(), "log": server.log}
    assert sampler.rounds > 20
    return known, places


def hits(known: dict[str, str], places: dict[str, str]) -> list[tuple[str, str]]:
    """Which secret is found where; fails when it was not looked at what should be there."""
    assert len(known) > 10
    assert "/ws/viewer-0001" in places["log"]
    assert "[D " in places["log"]
    assert "QCONNECT_SESSION=" in places["processes"]
    assert "opt/bin/xpra" in places["processes"]
    return [(name, place) for name, value in known.items() for place, text in places.items() if value in text]
