"""JupyterHub on the login node, set up by the documentation: accounts, PAM, its own proxy; reached from here."""

from __future__ import annotations

import json
import secrets
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.cluster.cluster import Cluster
from tests.cluster.files import USERS
from tests.cluster.forward import Forwarder
from tests.cluster.node import NodeProcess
from tests.hub.pages import WITHOUT_NPM, WITHOUT_SYSTEMD, follow, lay_index, lay_proxy, service
from tests.support.deadline import eventually
from tests.support.ports import own_port
from tests.support.servers import REPOSITORY, Answer

PYTHON = "/opt/qconnect/bin/python"
CONFIG = "/etc/jupyterhub/jupyterhub_config.py"
ALL_SCOPES = ["admin:users", "admin:servers", "access:servers", "tokens", "proxy"]
SECRET = "nobody-elses"
"""What sessions are called, so that it is seen where somebody else would hear of them."""
FOR_TESTS = """
c.JupyterHub.allow_named_servers = True
c.JupyterHub.last_activity_interval = 2
c.Spawner.environment = {{"PYTHONPATH": {lean!r}}}
del c.JupyterHub.services[0]["command"]  # the culler's, which tests start, and less patient
c.JupyterHub.services[0]["api_token"] = {culler!r}
c.JupyterHub.services.append({{"name": "tests", "api_token": {tests!r}}})
c.JupyterHub.load_roles.append({{"name": "tests", "scopes": {scopes!r}, "services": ["tests"]}})
"""
"""What tests need beside the pages' settings."""


class Hub:
    """One hub, its proxy and the servers it has spawned; `settings` are QConnect's, over those of the pages."""

    def __init__(self, cluster: Cluster, name: str, settings: dict[str, Any]) -> None:
        self.cluster, self.settings = cluster, settings
        self.port = own_port()
        self.passwords = {user: secrets.token_hex(8) for user in USERS}
        self.folder = cluster.home(name)
        self._token, self._cullers_token = secrets.token_hex(16), secrets.token_hex(16)
        self._process: NodeProcess | None = None
        self._forwarder: Forwarder | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "hub.log").read_text(errors="replace")

    def install(self) -> Hub:
        """All that the pages say, in the login node's own Python; nothing runs yet."""
        self.folder.mkdir(mode=0o700)
        wheels = self.cluster.folder / "home/wheels"
        wheels.mkdir()
        index = lay_index(wheels, "/home/wheels")
        lay_proxy(self.cluster.login)
        here = {"hub.example.org": "127.0.0.1", "http://127.0.0.1:8000": self.origin}
        follow(self.cluster.login, {WITHOUT_NPM: "", WITHOUT_SYSTEMD: "", **here}, index)
        self._lay_etc()
        return self

    def start(self) -> Hub:
        """Starts the hub, which starts its proxy, and returns when it answers through that."""
        unit = service()
        with (self.folder / "hub.log").open("ab") as log:
            self._process = self.cluster.login.popen(
                unit.argv, "root", unit.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        self._forwarder = self._forwarder or Forwarder(self.cluster.login, self.port)
        eventually(self.answers, 60, lambda: f"the hub; its log:\n{self.log[-3000:]}")
        for user in USERS:
            assert self.api("POST", f"users/{user}").status in (201, 409)  # as if each had come once
        return self

    def stop(self) -> None:
        """As `systemctl stop`: its proxy goes with it, the users' servers stay."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)

    def close(self) -> None:
        """Stops the users' servers, then the hub."""
        for user in USERS:
            for name in self.servers(user):
                self.stop_server(user, name)
        self.stop()
        if self._forwarder:
            self._forwarder.close()

    # -------------------------------------------------------------- its API
    def api(self, method: str, path: str, body: Any = None) -> Answer:
        """What the hub's API answers an administrator."""
        return self.request(method, f"/hub/api/{path}", {"Authorization": f"token {self._token}"}, body)

    def request(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> Answer:
        """One request through the proxy; redirects are answers."""
        data = None if body is None else json.dumps(body).encode()
        given = {"Content-Type": "application/json", **headers} if data is not None else headers
        request = urllib.request.Request(self.origin + path, data, given, method=method)
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=60) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, f"the hub ended: {self.log[-3000:]}"
        with suppress(OSError):
            return self.api("GET", "proxy").status == 200
        return False

    def start_server(self, user: str, name: str = "") -> None:
        """The user's server, or the one of that name, is up from now on."""
        if not self._ready(user, name):
            assert self.api("POST", f"users/{user}/servers/{name}").status in (201, 202)
        eventually(lambda: self._ready(user, name), 60, lambda: f"{user}'s server; the log:\n{self.log[-3000:]}")

    def stop_server(self, user: str, name: str = "") -> None:
        """It is stopped; its sessions go on."""
        assert self.api("DELETE", f"users/{user}/servers/{name}").status in (202, 204)
        eventually(lambda: name not in self.servers(user), 30, "its end")

    def servers(self, user: str) -> dict[str, Any]:
        """The user's servers that run, by name; the default one's is empty."""
        found = self.api("GET", f"users/{user}")
        return dict(found.json().get("servers") or {}) if found.status == 200 else {}

    def _ready(self, user: str, name: str) -> bool:
        return bool(self.servers(user).get(name, {}).get("ready"))

    def token(self, user: str, scopes: list[str]) -> str:
        """A token of the user's that may do this and nothing else."""
        answer = self.api("POST", f"users/{user}/tokens", {"scopes": scopes, "expires_in": 3600})
        assert answer.status == 201, answer.body
        return str(answer.json()["token"])

    def last_activity(self, user: str, name: str = "") -> str:
        """When the hub's proxy last saw something for this server, by its own table of routes."""
        routes = self.api("GET", "proxy").json()
        return str(routes[route(user, name)]["data"]["last_activity"])

    def routed(self, user: str, name: str = "") -> bool:
        """Whether the proxy is there and leads to this server."""
        with suppress(OSError):
            found = self.api("GET", "proxy")
            return found.status == 200 and route(user, name) in found.json()
        return False

    def ask(self, user: str, method: str, path: str, body: Any = None, name: str = "") -> Any:
        """What QConnect's API answers that user on a server of theirs."""
        headers = {"Authorization": f"token {self.token(user, [f'access:servers!user={user}'])}"}
        answer = self.request(method, f"{route(user, name)}qconnect/api/{path}", headers, body)
        assert answer.status < 300, (answer.status, answer.body)
        return answer.json()

    def session(self, user: str, name: str = "") -> dict[str, Any]:
        """A session of the user's whose display is there."""
        job = self.ask(user, "POST", "sessions", {"app": "xterm", "spec": {"name": SECRET}}, name)["id"]
        found: dict[str, Any] = {}

        def ready() -> bool:
            found.update(self.ask(user, "GET", f"sessions/{job}", name=name))
            return found["state"] == "READY"

        eventually(ready, 90, lambda: f"a display; the session is {found}")
        return found

    @contextmanager
    def culling(self, idle_s: int) -> Iterator[None]:
        """Meanwhile the real culler stops servers that were idle for so long."""
        argv = [PYTHON, "-m", "jupyterhub_idle_culler", f"--timeout={idle_s}", "--cull-every=2"]
        env = {"JUPYTERHUB_API_TOKEN": self._cullers_token, "JUPYTERHUB_API_URL": "http://127.0.0.1:8081/hub/api"}
        with (self.folder / "culler.log").open("ab") as log:
            culler = self.cluster.login.popen(argv, "root", env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            yield
        finally:
            assert culler.poll() is None, (self.folder / "culler.log").read_text(errors="replace")
            culler.terminate()
            culler.wait(10)

    def kill_proxy(self) -> None:
        """As a crash; the hub notices by itself."""
        self.cluster.login.run(["pkill", "-KILL", "-f", "configurable-http-proxy"])  # in the node's own pid namespace

    def _lay_etc(self) -> None:
        """Passwords, and what tests need beside the pages' settings."""
        for user, password in self.passwords.items():
            self.cluster.login.run("chpasswd -c SHA512", input=f"{user}:{password}\n")
        settings = {
            "QConnect": self.settings,
            "LabApp": {"expose_app_in_browser": True},
            "LanguageServerManager": {"autodetect": False},
        }
        self.cluster.login.run("cat >/etc/jupyter/jupyter_server_config.json", input=json.dumps(settings))
        given = {"tests": self._token, "culler": self._cullers_token, "scopes": ALL_SCOPES}
        more = FOR_TESTS.format(lean=f"{REPOSITORY}/tests/lean", **given)
        self.cluster.login.run(f"cat >>{CONFIG}", input=more)


def route(user: str, name: str = "") -> str:
    """The base URL of a user's server, which the proxy knows it by."""
    return f"/user/{user}/{name}/" if name else f"/user/{user}/"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None
