"""The keymap of an X display, as a client of X's own protocol: characters on keys that no keyboard has.

Part of the job script, like the door that uses it (Python 3.6 or newer, standard library only). Xtigervnc gives a
character that its map lacks a free key, of which it has 19 for a whole life, and drops every one after that. So there
is room from the start, and a page tells which characters it is about to type. Whoever sets another map (a desktop's
settings, `setxkbmap`) finds ours on top of it again.
"""

import asyncio
import struct
import time

WAIT_S = 10
SETTLE_S = 0.2
AGAIN_S = 2
COOKIE = b"MIT-MAGIC-COOKIE-1"
CHANGE_MAPPING, GET_MAPPING, GET_INPUT_FOCUS = 100, 101, 43
ERROR, REPLY, MAPPING_NOTIFY = 0, 1, 34
MEDIA = range(0x10080000, 0x10090000)  # keysyms of the keys that multimedia keyboards add
KEYSYMS = range(0x20, 0x1110000)


class BadKeymap(Exception):
    """What was asked for is no keymap."""


def keysym(character):
    """X's number of a character, in the one form that pages use as well."""
    return ord(character) if ord(character) < 0x100 else 0x1000000 + ord(character)


def first_characters():
    """What is there before anybody asks, for native viewers: Latin letters in pairs, and the signs of Latin-1."""
    small = [chr(code) for code in range(0xDF, 0x180) if chr(code).islower() and len(chr(code).upper()) == 1]
    pairs = [(keysym(letter), keysym(letter.upper())) for letter in small]
    signs = [keysym(sign) for sign in "€ß" + "".join(map(chr, range(0xA1, 0xC0))) + "×÷–—‘’“”„…"]
    return pairs[:31] + list(zip(signs[::2], signs[1::2])) + pairs[31:]


def checked(seats):
    """{keycode: (keysym, keysym)} of a list of [keycode, keysym, keysym]; raises BadKeymap."""
    if not isinstance(seats, list) or not all(isinstance(seat, list) and len(seat) == 3 for seat in seats):
        raise BadKeymap
    for keycode, *symbols in seats:
        if type(keycode) is not int or keycode not in range(8, 256):
            raise BadKeymap
        if not all(type(symbol) is int and symbol in KEYSYMS for symbol in symbols):
            raise BadKeymap
    return {seat[0]: (seat[1], seat[2]) for seat in seats}


def cookie(path):
    """The secret in an Xauthority file; empty when there is none."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return b""
    at = 2
    while at + 2 <= len(data):
        fields = []
        for _ in range(4):
            size = int.from_bytes(data[at : at + 2], "big")
            fields.append(data[at + 2 : at + 2 + size])
            at += 2 + size
        if fields[2] == COOKIE:
            return fields[3]
        at += 2
    return b""


def runs(keycodes):
    """Keycodes in rows without a gap: each row is one change, which every program hears of."""
    found = []
    for keycode in sorted(keycodes):
        if found and found[-1][-1] == keycode - 1:
            found[-1].append(keycode)
        else:
            found.append([keycode])
    return found


def padded(data):
    return data + bytes(-len(data) % 4)


class Keymap:
    """The map of one display; `seats` are the keys of ours, {keycode: (keysym, keysym with Shift)}."""

    def __init__(self, reader, writer):
        self.seats = {}
        self._reader, self._writer = reader, writer
        self._replies = []
        self._first, self._count = 8, 248
        self._listening = self._check = None
        self._set_at = -AGAIN_S

    async def greet(self, secret):
        """The first words of X's protocol; raises OSError when it turns us away."""
        name = COOKIE if secret else b""
        head = struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(secret))
        self._writer.write(head + padded(name) + padded(secret))
        status, _, _, _, more = struct.unpack("<BBHHH", await self._reader.readexactly(8))
        setup = await self._reader.readexactly(more * 4)
        if status != 1:
            raise OSError("X does not let us in")
        self._first = setup[26]
        self._count = setup[27] - self._first + 1
        self._listening = asyncio.ensure_future(self._listen())

    async def make_room(self):
        """Puts the first characters on the multimedia keys; those without any symbol stay free for the X server."""
        symbols = await self._symbols()
        media = [keycode for keycode, levels in sorted(symbols.items()) if levels[0] in MEDIA]
        await self.set(dict(zip(media, first_characters())))

    async def set(self, seats):
        """Seats these from now on, and no others; the map is changed when this returns."""
        changes = {keycode: (0, 0) for keycode in self.seats if keycode not in seats}
        changes.update({keycode: pair for keycode, pair in seats.items() if self.seats.get(keycode) != pair})
        self.seats = seats
        await self._change(changes)

    async def _change(self, keys):
        self._set_at = time.monotonic()
        for run in runs(keys):
            symbols = [symbol for keycode in run for symbol in keys[keycode]]
            head = struct.pack("<BBHBBxx", CHANGE_MAPPING, len(run), 2 + len(symbols), run[0], 2)
            self._writer.write(head + struct.pack("<{}I".format(len(symbols)), *symbols))
        await self._ask(struct.pack("<BxH", GET_INPUT_FOCUS, 1))

    async def _symbols(self):
        """{keycode: keysyms of its levels} of the whole map."""
        answer = await self._ask(struct.pack("<BxHBBxx", GET_MAPPING, 2, self._first, self._count))
        width = answer[1]
        found = struct.unpack("<{}I".format(width * self._count), answer[32 : 32 + 4 * width * self._count])
        return {self._first + key: found[key * width : (key + 1) * width] for key in range(self._count)}

    async def _ask(self, request):
        """The answer to a request; raises OSError when the X server is gone or does not answer."""
        if self._listening.done():
            raise OSError("the X server is gone")
        reply = asyncio.get_event_loop().create_future()
        self._replies.append(reply)
        self._writer.write(request)
        try:
            return await asyncio.wait_for(reply, WAIT_S)
        except asyncio.TimeoutError:
            raise OSError("the X server does not answer") from None

    async def _listen(self):
        try:
            while True:
                message = await self._reader.readexactly(32)
                if message[0] == REPLY:
                    message += await self._reader.readexactly(4 * int.from_bytes(message[4:8], "little"))
                    reply = self._replies.pop(0)
                    if not reply.done():
                        reply.set_result(message)
                elif message[0] & 0x7F == MAPPING_NOTIFY and (self._check is None or self._check.done()):
                    self._check = asyncio.ensure_future(self._keep())
        except (OSError, EOFError):
            for reply in self._replies:
                if not reply.done():
                    reply.set_exception(OSError("the X server is gone"))

    async def _keep(self):
        """Somebody has changed the map: what is ours is put back, not more often than every AGAIN_S."""
        await asyncio.sleep(max(SETTLE_S, self._set_at + AGAIN_S - time.monotonic()))
        try:
            symbols = await self._symbols()
            lost = {key: pair for key, pair in self.seats.items() if tuple(symbols.get(key, ())[:2]) != pair}
            if lost:
                await self._change(lost)
        except OSError:
            pass  # its end is the session's


async def open_keymap(display, authority):
    """The keymap of a display (`:7`), with room in it; raises OSError."""
    path = "/tmp/.X11-unix/X" + display.lstrip(":")  # noqa: S108 - where X servers are
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_unix_connection(path), WAIT_S)
        found = Keymap(reader, writer)
        await asyncio.wait_for(found.greet(cookie(authority)), WAIT_S)
    except (EOFError, asyncio.TimeoutError):
        raise OSError("the X server does not answer") from None
    await found.make_room()
    return found
