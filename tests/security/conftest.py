"""One live server for all that is tried on the front door, with one session that is ready."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any

import pytest

from tests.security.front import Front, opened
from tests.security.raw import Raw
from tests.support.routes import addresses
from tests.support.servers import JupyterServer

PREFIX = "/a%40b/"


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory, browser_code: None) -> Iterator[JupyterServer]:
    settings = {"QConnect": {"max_sessions": 2, "max_starts_per_minute": 0, "audit_file": "~/audit.jsonl"}}
    server = JupyterServer(tmp_path_factory.mktemp("home"), prefix=PREFIX, config=settings).start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The doors alone, in this process."""
    with opened(tmp_path_factory.mktemp("home")) as front:
        yield front


@pytest.fixture(scope="package")
def session(server: JupyterServer) -> dict[str, Any]:
    """A session that is ready, and stays so whatever is tried."""
    return server.wait_for(server.launch()["id"], "READY")


@dataclass
class Browser:
    """What a browser that has logged in sends with every request, and what only our pages know."""

    cookie: str
    xsrf: str


@pytest.fixture(scope="package")
def browser(server: JupyterServer) -> Browser:
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    opener.open(f"{server.url}qconnect/?token={server.token}", timeout=30).close()
    cookies = {item.name: str(item.value) for item in jar}
    return Browser("; ".join(f"{name}={value}" for name, value in cookies.items()), cookies["_xsrf"])


@pytest.fixture
def raw(server: JupyterServer) -> Iterator[Raw]:
    """A client whose requests go out as they are spelled."""
    with Raw(server) as raw:
        yield raw


@pytest.fixture(scope="package")
def table(server: JupyterServer, session: dict[str, Any]) -> list[tuple[str, type[Any]]]:
    return addresses(session["id"])
