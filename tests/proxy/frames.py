"""Frames of RFC 6455, section 5.2, built by hand: right ones, and every kind of wrong one."""

from __future__ import annotations

import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MASK = bytes.fromhex("37fa213d")  # of the example in section 5.7


def length_field(size: int, form: int | None = None) -> tuple[int, bytes]:
    """The 7-bit length and what extends it; `form` (126, 127) forces a longer form than the size needs."""
    form = form or (size if size < 126 else 126 if size < 65536 else 127)
    if form < 126:
        return form, b""
    return form, struct.pack("!H" if form == 126 else "!Q", size)


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    masked: bool,
    fin: bool = True,
    rsv: int = 0,
    form: int | None = None,
) -> bytes:
    """One frame, masked as a browser's or not as a server's; `rsv` is the three reserved bits as a number."""
    short, extended = length_field(len(payload), form)
    head = bytes([fin << 7 | rsv << 4 | opcode, masked << 7 | short]) + extended
    if not masked:
        return head + payload
    key = MASK * (len(payload) // 4 + 1)
    hidden = int.from_bytes(payload, "big") ^ int.from_bytes(key[: len(payload)], "big")
    return head + MASK + hidden.to_bytes(len(payload), "big")


def close(code: int | None = None, reason: bytes = b"", *, masked: bool) -> bytes:
    """A close frame, with a code and a reason or with an empty body."""
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason, masked=masked)


def fragments(opcode: int, parts: list[bytes], *, masked: bool, between: bytes = b"") -> bytes:
    """One message in several frames, with `between` (control frames) after each but the last."""
    last = len(parts) - 1
    frames = [
        frame(opcode if at == 0 else CONTINUATION, part, masked=masked, fin=at == last) for at, part in enumerate(parts)
    ]
    return between.join(frames)
