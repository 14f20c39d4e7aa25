"""The handshake and the frames of a websocket as its server reads and writes them (RFC 6455).

Part of the job script, beside the door of a VNC desktop: the node needs Python (3.6 or newer) and nothing of ours.
"""

import base64
import hashlib
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3
CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NORMAL, PROTOCOL_ERROR, NOT_BINARY, BAD_DATA, TOO_BIG = 1000, 1002, 1003, 1007, 1009


class Refused(Exception):
    """The visitor's words are not what is spoken here: an HTTP status, or the code of a websocket's close."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def accept(headers, spoken):
    """The headers that accept a websocket, with the first of `spoken` that it offers; raises Refused for any other."""
    key = headers.get("sec-websocket-key", "")
    if headers.get("sec-websocket-version") != "13" or len(key) != 24:
        raise Refused(400)
    proof = base64.b64encode(hashlib.sha1(key.encode("latin-1") + GUID).digest()).decode()  # noqa: S324 - RFC 6455's own
    chosen = ["Upgrade: websocket", "Sec-WebSocket-Accept: " + proof]
    offered = [word.strip() for word in headers.get("sec-websocket-protocol", "").split(",")]
    return chosen + ["Sec-WebSocket-Protocol: " + word for word in spoken if word in offered][:1]


def frame(opcode, payload):
    """One whole websocket frame, unmasked as a server's are."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
    return head + payload


def goodbye(code):
    """The frame that ends a websocket."""
    return frame(CLOSE, struct.pack("!H", code))


def unmask(data, mask):
    """The payload as it was before `mask` (4 bytes) was laid over it."""
    size = len(data)
    laid = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(laid, "big")).to_bytes(size, "big")


async def read_head(reader):
    """(opcode, last, size, mask) of the next frame of a browser; raises Refused for what RFC 6455 does not allow."""
    first, second = await reader.readexactly(2)
    opcode, last, size = first & 15, bool(first & 0x80), second & 0x7F
    known = opcode in (CONTINUED, TEXT, BINARY, CLOSE, PING, PONG)
    if first & 0x70 or not second & 0x80 or not known or (opcode >= CLOSE and (size > 125 or not last)):
        raise Refused(PROTOCOL_ERROR)
    if size > 125:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
        if size >> 63:
            raise Refused(PROTOCOL_ERROR)
    return opcode, last, size, await reader.readexactly(4)


def close_code(payload):
    """What to answer to a browser's goodbye: the same, if it is one."""
    if not payload:
        return NORMAL
    code = int.from_bytes(payload[:2], "big")
    known = (1000 <= code <= 1014 and code not in (1004, 1005, 1006)) or 3000 <= code <= 4999
    try:
        payload[2:].decode("utf-8")
    except ValueError:
        return 1007
    return code if len(payload) > 1 and known else PROTOCOL_ERROR
