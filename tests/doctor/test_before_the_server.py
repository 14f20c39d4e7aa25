"""What a request tells of the hub or proxy before the server, and what is to be done about one that changes Host."""

from __future__ import annotations

import pytest

from qconnect_web.doctor.findings import Level
from qconnect_web.doctor.front import before
from qconnect_web.errors import BadRequest
from qconnect_web.http.fronts import AS_THEY_COME

pytestmark = pytest.mark.unit
NAME = "https://jupyter.example.org"


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)


def test_who_is_before_the_server_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Nothing in front" in before({}, None)[0].found
    assert "a proxy in front" in before({"X-Forwarded-For": "10.0.0.7"}, None)[0].found
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/alice/")
    assert "a JupyterHub, at /user/alice/" in before({}, None)[0].found


@pytest.mark.parametrize("host", ["127.0.0.1:8888", "jupyter.example.org:8443", ""])
def test_a_host_that_is_not_the_browsers_is_a_problem_with_the_remedy_that_pages_tell(host: str) -> None:
    _, finding = before({"Host": host}, NAME)
    assert finding.level is Level.PROBLEM
    assert finding.found == f"The browser calls this server jupyter.example.org; what is in front of it says {host}."
    assert AS_THEY_COME in finding.advice
    assert "proxy_set_header Host $http_host" in AS_THEY_COME


def test_the_browsers_own_host_is_as_it_should_be() -> None:
    assert before({"Host": "Jupyter.Example.org"}, NAME)[1].level is Level.OK


@pytest.mark.parametrize(
    "page", ["", "jupyter.example.org", "https://a.org/x", "https://<script>", f"https://{'a' * 300}"]
)
def test_a_page_that_is_no_origin_is_refused(page: str) -> None:
    with pytest.raises(BadRequest, match="not an origin"):
        before({"Host": "a.org"}, page)
