"""Where a page sends a user whose server a hub has stopped."""

from __future__ import annotations

import pytest

from qconnect_web.pages.hub import spawn_url

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, ""),
        ({"USER": "alice"}, ""),
        ({"BASE_URL": "/", "USER": "alice", "SERVER_NAME": ""}, "/hub/spawn/alice"),
        ({"BASE_URL": "/jupyter/", "USER": "a b@c", "SERVER_NAME": "gpu/1"}, "/jupyter/hub/spawn/a%20b@c/gpu%2F1"),
        ({"BASE_URL": "/", "USER": "alice", "HOST": "https://hub.example"}, "https://hub.example/hub/spawn/alice"),
    ],
)
def test_a_hub_starts_the_server_at_the_address_that_it_has_told(given: dict[str, str], url: str) -> None:
    assert spawn_url({f"JUPYTERHUB_{name}": value for name, value in given.items()}) == url
