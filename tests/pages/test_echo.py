"""The websocket by which pages measure what lies before the server: it says everything back, and is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from qconnect_web.pages import echo
from tests.support.servers import JupyterServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, browser_code: None) -> Iterator[JupyterServer]:
    server = JupyterServer(tmp_path_factory.mktemp("home"), prefix="/a%40b/").start()
    yield server
    server.close()


def opening(server: JupyterServer, **headers: str) -> websockets.connect:
    return websockets.connect(
        f"{server.url}qconnect/echo".replace("http", "ws", 1), additional_headers=headers, ping_interval=None
    )


def test_it_says_short_words_back_and_ends_long_ones(server: JupyterServer) -> None:
    async def visit() -> int | None:
        async with opening(server, Authorization=f"token {server.token}") as line:
            await line.send("?")
            assert await line.recv() == "?"
            await line.send("x" * (echo.MAX_MESSAGE + 1))
            with pytest.raises(ConnectionClosed):
                await line.recv()
            return line.close_code

    assert asyncio.run(visit()) == 1009


def test_it_is_opened_for_its_user_alone_and_for_few_at_once(server: JupyterServer) -> None:
    async def visit() -> list[int]:
        refused = []
        async with AsyncExitStack() as stack:
            for headers in ({}, {"Authorization": "token wrong"}):
                with pytest.raises(InvalidStatus) as caught:
                    await stack.enter_async_context(opening(server, **headers))
                refused.append(caught.value.response.status_code)
            right = {"Authorization": f"token {server.token}"}
            for _ in range(echo.MOST):
                await stack.enter_async_context(opening(server, **right))
            with pytest.raises(InvalidStatus) as caught:
                await stack.enter_async_context(opening(server, **right))
            refused.append(caught.value.response.status_code)
        async with opening(server, Authorization=f"token {server.token}") as line:  # those that left made room
            await line.send("?")
            assert await line.recv() == "?"
        return refused

    assert asyncio.run(visit()) == [403, 403, 429]
