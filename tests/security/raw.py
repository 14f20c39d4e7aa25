"""HTTP by hand: what is asked goes out as it is spelled."""

from __future__ import annotations

import http.client
from typing import Protocol

from tests.support.servers import Answer


class Served(Protocol):
    """A server on the loopback address: its port, its token, and the base URL of its paths."""

    port: int
    token: str
    prefix: str


class Raw:
    """A client that changes nothing of a path."""

    def __init__(self, server: Served) -> None:
        self.server = server
        self._open = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self._open._validate_path = lambda url: None  # type: ignore[attr-defined]  # it would refuse what is tried here

    def ask(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        method: str = "GET",
        body: bytes = b"",
        *,
        auth: bool = True,
    ) -> Answer:
        """One request below the base URL, or at the very path if it begins with a slash; with the token, if `auth`.

        The names of the answer's headers are in lower case, several of one name joined by commas.
        """
        given = {"Authorization": f"token {self.server.token}"} if auth else {}
        target = path if path.startswith("/") else self.server.prefix + path
        try:
            self._open.request(method, target, body or None, {**given, **(headers or {})})
            answer = self._open.getresponse()
            content = answer.read()
        finally:
            self._open.close()  # after some refusals the server hangs up without a word
        names = {name.lower() for name in answer.headers}
        return Answer(answer.status, {name: ", ".join(answer.headers.get_all(name, [])) for name in names}, content)

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
