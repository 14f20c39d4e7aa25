"""A port of this machine that leads to the same port of a node: how pytest and Chromium reach a server there."""

from __future__ import annotations

import asyncio
import ctypes
import os
import threading
from contextlib import suppress

from tests.cluster.node import Node

CLONE_NEWNET = 0x40000000
CHUNK = 1 << 16


class Forwarder:
    """Listens on the host's loopback, dials the node's: its thread lives in the node's network."""

    def __init__(self, node: Node, port: int) -> None:
        self._node = node
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)
        if self._error:
            raise self._error

    def close(self) -> None:
        """Ends all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            listening = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self._port))
            self._enter()
        except OSError as error:
            self._error = error
            self._ready.set()
            return
        self._ready.set()
        self._loop.run_forever()
        listening.close()
        self._loop.run_until_complete(self._hang_up())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _hang_up(self) -> None:
        """Ends all connections; a transport lets go of its socket in the turn of the loop after the next."""
        for writer in list(self._writers):
            writer.transport.abort()  # also those that are closing, which wait for who reads no more
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for _ in range(3):
            await asyncio.sleep(0)

    def _enter(self) -> None:
        """From here on, this thread's new sockets are the node's; what listens already stays the host's."""
        libc = ctypes.CDLL(None, use_errno=True)
        with self._node.network_namespace() as handle:
            if libc.setns(handle.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.transport.abort()
            return
        self._writers.add(there_writer)
        await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction, to its end; an error ends it as a close does."""
    with suppress(OSError, asyncio.CancelledError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()
