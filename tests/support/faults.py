"""A TCP forwarder that can cut or silence the connections through it, as bad networks do."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

CHUNK = 65536


class FaultProxy:
    """Forwards 127.0.0.1:`port` to 127.0.0.1:`target` from a thread of its own."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait(10)

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._open.set()
        started.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._finish())
        self._loop.close()

    async def _finish(self) -> None:
        """Brings every connection's task to its end, also one that was accepted in the last moment."""
        for _ in range(50):
            if not (others := asyncio.all_tasks() - {asyncio.current_task()}):
                return
            self._abort()
            await asyncio.wait(others, timeout=0.1)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            self._writers.discard(writer)
            return
        self._writers.add(far_writer)
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))
        self._writers.difference_update((writer, far_writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(CHUNK):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        """Resets every connection that is open now."""
        self._loop.call_soon_threadsafe(self._abort)

    def _abort(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    def silence(self) -> None:
        """Lets nothing through from now on, and closes nothing: a black hole."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def resume(self) -> None:
        """Lets everything through again."""
        self._loop.call_soon_threadsafe(self._open.set)

    def close(self) -> None:
        """Ends the thread and every connection."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        self._thread.join(10)

    async def _end(self) -> None:
        """Aborts until the copies have noticed; they end by themselves."""
        self._open.set()
        while self._writers:
            self._abort()
            await asyncio.sleep(0.01)
        self._loop.call_soon(self._loop.stop)
