"""The door of a VNC desktop: mutual TLS with the run's keys, HTTP and websocket in it, the server's socket behind it.

Part of the job script: the node needs Python (3.6 or newer) and nothing of ours. To the Jupyter server it looks like an
xpra does: `GET /Status` is answered 200 once the VNC server greets, and `Upgrade: websocket` (RFC 6455) carries its
bytes in binary messages. `Upgrade: rfb` carries them as they are, for a native viewer behind a forwarder. Everything is
bounded: visitors, heads, waits, and what one end is ahead of the other.
With DISPLAY and XAUTHORITY in its environment it keeps the display's keymap: who speaks the subprotocol `keymap` says
in text messages which characters come, `{"keymap": [[keycode, keysym, keysym with Shift], …]}`, and then the keys.

    door.py VNC_SOCKET socket PATH                  a unix socket of mode 0600
    door.py VNC_SOCKET tls PORT SESSION_FOLDER ADDRESS …    a port, for who holds client.pem and its key
"""

import asyncio
import hmac
import json
import os
import signal
import socket
import ssl
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import websocket as ws  # beside this file, where -I does not look
from keymap import BadKeymap, checked, open_keymap

CHUNK = 64 * 1024
MAX_HEAD = 16 * 1024
MAX_TEXT = 64 * 1024
MAX_VISITORS = 64
MAX_UNREAD = 1024 * 1024
PATIENCE_S = 20
DEAD_AFTER_MS = 60000


async def unwrap(reader, writer, vnc, keymap):
    """Passes the payload of binary messages on as it comes, and answers pings, until the browser says goodbye.

    `keymap` is what text messages are about; None where none may come.
    """
    inside = False
    while True:
        opcode, last, size, mask = await ws.read_head(reader)
        if opcode >= ws.CLOSE:
            payload = ws.unmask(await reader.readexactly(size), mask)
            if opcode == ws.CLOSE:
                raise ws.Refused(ws.close_code(payload))
            if opcode == ws.PING and writer.transport.get_write_buffer_size() < MAX_UNREAD:
                writer.write(ws.frame(ws.PONG, payload))
            continue
        if opcode == ws.TEXT:
            await change(keymap, last, size, reader, mask)
            continue
        if (opcode == ws.CONTINUED) != inside:
            raise ws.Refused(ws.PROTOCOL_ERROR)
        inside = not last
        while size:
            data = await reader.read(min(size, CHUNK))
            if not data:
                return
            vnc.write(ws.unmask(data, mask))
            mask = mask[len(data) % 4 :] + mask[: len(data) % 4]
            size -= len(data)
            await vnc.drain()


async def change(keymap, last, size, reader, mask):
    """Reads one text message and does what it says, before anything else of this browser goes on."""
    if keymap is None:
        raise ws.Refused(ws.NOT_BINARY)
    if size > MAX_TEXT or not last:
        raise ws.Refused(ws.TOO_BIG)
    payload = ws.unmask(await reader.readexactly(size), mask)
    try:
        seats = checked(json.loads(payload.decode("utf-8"))["keymap"])
    except (ValueError, TypeError, KeyError, RecursionError, BadKeymap):
        raise ws.Refused(ws.BAD_DATA) from None
    try:
        await keymap.set(seats)
    except OSError as error:
        sys.stderr.write("The keymap could not be changed: {}\n".format(error))


async def copy(reader, writer, wrap):
    """Passes on what comes until it ends, each piece through `wrap`; a slow reader holds the sender back."""
    while True:
        data = await reader.read(CHUNK)
        if not data:
            return
        writer.write(wrap(data))
        await writer.drain()


async def first_of(*ways):
    """Runs all until one ends; its exception goes through."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


class Door:
    """Lets visitors through to the VNC server at a unix socket."""

    def __init__(self, vnc, certificate, keymap):
        self.vnc = vnc
        self.keymap = keymap
        self.certificate = certificate
        self.visitors = 0

    async def visit(self, reader, writer):
        """One connection, from its first byte to its end."""
        self.visitors += 1
        try:
            if self.visitors <= MAX_VISITORS and self.welcome(writer):
                await self.serve(reader, writer)
        except (OSError, EOFError, asyncio.TimeoutError, asyncio.LimitOverrunError):
            pass  # it left, never spoke, or spoke too much
        finally:
            self.visitors -= 1
            writer.close()
            asyncio.get_event_loop().call_later(PATIENCE_S, writer.transport.abort)  # it may never read the rest

    def welcome(self, writer):
        """Whether the visitor holds the one certificate: TLS has checked it, this checks that it is no other."""
        connection = writer.get_extra_info("socket")
        if self.certificate is None:
            return True
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, 18, DEAD_AFTER_MS)  # TCP_USER_TIMEOUT, unnamed before Python 3.6.1
        shown = writer.get_extra_info("ssl_object").getpeercert(True)
        return shown is not None and hmac.compare_digest(shown, self.certificate)

    async def serve(self, reader, writer):
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        try:
            request, headers = parse(head)
            kind = headers.get("upgrade", "").lower()
            if kind == "websocket":
                spoken = ["keymap", "binary"] if self.keymap else ["binary"]
                await self.through(reader, writer, ws.accept(headers, spoken), websocket=True)
            elif kind == "rfb":
                await self.through(reader, writer, ["Upgrade: rfb"], websocket=False)
            elif request == "/Status":
                await self.status(writer)
            else:
                raise ws.Refused(404)
        except ws.Refused as refused:
            writer.write(answer(refused.code))

    async def greet(self):
        """A connection to the VNC server, and the first bytes that it said."""
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_unix_connection(self.vnc), PATIENCE_S)
        except (OSError, asyncio.TimeoutError):
            raise ws.Refused(503) from None
        try:
            hello = await asyncio.wait_for(reader.readexactly(12), PATIENCE_S)
        except (OSError, EOFError, asyncio.TimeoutError):
            hello = b""
        if not hello.startswith(b"RFB "):
            writer.close()
            raise ws.Refused(503)
        return reader, writer, hello

    async def status(self, writer):
        _, vnc, hello = await self.greet()
        vnc.close()
        writer.write(answer(200, ["Content-Type: text/plain"], hello))

    async def through(self, reader, writer, headers, websocket):
        """Joins the visitor with the VNC server until one of them ends."""
        source, vnc, hello = await self.greet()
        wrap = (lambda data: ws.frame(ws.BINARY, data)) if websocket else bytes
        keymap = self.keymap if "Sec-WebSocket-Protocol: keymap" in headers else None
        code = ws.NORMAL
        try:
            writer.write(answer(101, ["Connection: Upgrade", *headers]) + wrap(hello))
            up = unwrap(reader, writer, vnc, keymap) if websocket else copy(reader, vnc, bytes)
            await first_of(copy(source, writer, wrap), up)
        except ws.Refused as refused:
            code = refused.code
        finally:
            vnc.close()
            if websocket:
                writer.write(ws.goodbye(code))


def parse(head):
    """(path, {header: value}) of a request; raises Refused."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or words[0] != "GET" or not words[2].startswith("HTTP/1."):
        raise ws.Refused(400)
    headers = {}
    for line in lines[1:-2]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return words[1], headers


def answer(status, headers=(), body=b""):
    """An HTTP answer, head and body."""
    words = {101: "Switching Protocols", 200: "OK", 400: "Bad Request", 404: "Not Found"}
    lines = ["HTTP/1.1 {} {}".format(status, words.get(status, "Service Unavailable")), *headers]
    lines += [] if status == 101 else ["Content-Length: {}".format(len(body)), "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def keys(folder):
    """The TLS of this run: its own key, one certificate that gets in, no authority of the system's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if hasattr(context, "minimum_version"):
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    else:
        context.options |= ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1
    context.load_cert_chain(os.path.join(folder, "server.pem"), os.path.join(folder, "server.key"))
    context.load_verify_locations(os.path.join(folder, "client.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    with open(os.path.join(folder, "client.pem"), encoding="utf-8") as file:
        return context, ssl.PEM_cert_to_DER_cert(file.read())


async def keymap_here():
    """The keymap of the display in the environment; None where there is none, or X does not let us at it."""
    display = os.environ.get("DISPLAY")
    if not display:
        return None
    try:
        return await open_keymap(display, os.environ.get("XAUTHORITY", ""))
    except OSError as error:
        sys.stderr.write("Characters beyond the X server's own few cannot be typed: {}\n".format(error))
        return None


def listener(kind, place, address):
    """A socket that visitors come to."""
    if kind == "socket":
        found = socket.socket(socket.AF_UNIX)
        found.bind(place)
        os.chmod(place, 0o600)
        return found
    found = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind((address.strip("[]"), int(place)))
    return found


def main(vnc, kind, place, folder=None, *addresses):
    context, certificate = keys(folder) if kind == "tls" else (None, None)
    try:
        found = [listener(kind, place, address) for address in addresses or [""]]
    except OSError as error:
        sys.exit("{}: {}".format(place, error.strerror))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_exception_handler(lambda *_: None)  # strangers who fail TLS are no news
    loop.add_signal_handler(signal.SIGTERM, loop.stop)
    start = asyncio.start_server if context else asyncio.start_unix_server
    waits = {"ssl_handshake_timeout": PATIENCE_S} if context and sys.version_info >= (3, 7) else {}
    door = Door(vnc, certificate, loop.run_until_complete(keymap_here()))
    for one in found:
        loop.run_until_complete(start(door.visit, sock=one, ssl=context, limit=MAX_HEAD, **waits))
    loop.run_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
