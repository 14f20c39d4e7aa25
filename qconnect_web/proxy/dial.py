"""Dials a session's display and proves who answers, before a byte of the browser's goes there."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tornado.iostream import IOStream, SSLIOStream, StreamClosedError, UnsatisfiableReadError

from ..errors import IdentityMismatch, Unreachable, UpstreamFailed
from ..relay.pinned_tls import PinnedContext, same_fingerprint
from ..transports.addresses import Address, addresses, connect, first_proved
from ..transports.endpoint import Endpoint
from ..transports.local import check_peer
from ..values.session import Session
from .headers import Upgrade

CONNECT_S = 5.0
HANDSHAKE_S = 5.0
ANSWER_S = 10.0
MAX_HEAD = 16 * 1024
"""Bytes that a node's answer to the upgrade may have before its first frame."""
MAX_BUFFER = 20 * 1024 * 1024
"""Bytes that a connection may hold read but not asked for; more than the largest file of a client."""
DEAD_AFTER_MS = 60_000
"""Milliseconds that sent bytes may stay unacknowledged: a node that vanished is noticed although we send no pings."""
T = TypeVar("T")
Shake = Callable[[PinnedContext, str, str], Awaitable[None]]
"""A handshake elsewhere: context, name in the certificate, fingerprint."""


async def proved(session: Session, endpoint: Endpoint, prove: Callable[[socket.socket], Awaitable[T]]) -> T:
    """What `prove` makes of a connection to the first of the display's addresses at which it does not raise.

    The connection is tuned; the owner of a unix socket is checked before. The addresses have 5 s together to take
    connections. Raises Unreachable when nobody answers, IdentityMismatch when somebody else does.
    """
    found = await _within(CONNECT_S, addresses(endpoint), session)

    async def attempt(address: Address) -> T:
        plain = await _within(CONNECT_S / len(found), connect(address), session)
        try:
            tune(plain)
            if plain.family == socket.AF_UNIX:
                check_peer(plain, endpoint.listener)
        except BaseException:
            plain.close()
            raise
        return await prove(plain)

    return await first_proved(found, attempt)


async def dial(session: Session, endpoint: Endpoint) -> IOStream:
    """A connection to the display of this run of the session, its owner proved; waits at most 10 s for an address.

    Raises Unreachable when nobody answers in time, IdentityMismatch when somebody else does.
    """

    async def prove(plain: socket.socket) -> IOStream:
        if endpoint.context is None:
            return IOStream(plain, max_buffer_size=MAX_BUFFER)
        assert session.connection is not None
        stream = await _within(HANDSHAKE_S, _handshake(endpoint, plain), session)
        try:
            check_certificate(stream, session.connection.fingerprint)
        except BaseException:
            stream.close()
            raise
        return stream

    return await proved(session, endpoint, prove)


async def secured(session: Session, context: PinnedContext, name: str, shake: Shake) -> None:
    """As the second half of `dial`, for a connection that the relay holds and `shake` works on."""
    assert session.connection is not None
    await _within(HANDSHAKE_S, shake(context, name, session.connection.fingerprint), session)


async def exchange(stream: IOStream, request: bytes) -> bytes:
    """The head of the answer to a request; bytes after it stay in the stream."""
    await stream.write(request)
    return await stream.read_until(b"\r\n\r\n", max_bytes=MAX_HEAD)


async def ask(answering: Awaitable[bytes], upgrade: Upgrade) -> bytes:
    """The 101 for the browser, out of the head that a proved connection answers to the upgrade's request.

    Raises UpstreamFailed when the node answers with anything else, or not within 10 s.
    """
    try:
        answer = await asyncio.wait_for(_awaited(answering), ANSWER_S)
    except asyncio.TimeoutError:
        raise Unreachable(_words("took the request for a websocket, but did not answer"), reason="timeout") from None
    except (StreamClosedError, UnsatisfiableReadError, OSError):
        raise UpstreamFailed(_words("did not answer the request for a websocket"), reason="upgrade-refused") from None
    return upgrade.response(answer)


def tune(connection: socket.socket) -> None:
    """Small messages at once, and an end to connections whose other side has vanished; only TCP needs it."""
    if connection.family == socket.AF_UNIX:
        return
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER_MS)


async def _handshake(endpoint: Endpoint, plain: socket.socket) -> SSLIOStream:
    """The connection with TLS on it; closed when that fails."""
    assert endpoint.context is not None
    held: socket.socket | SSLIOStream = plain
    try:
        plain.getpeername()  # a connection that was reset meanwhile would never begin its handshake, nor fail
        secured = endpoint.context.wrap_socket(
            plain, server_hostname=endpoint.server_hostname, do_handshake_on_connect=False
        )
        held = stream = SSLIOStream(secured, ssl_options=endpoint.context, max_buffer_size=MAX_BUFFER)
        secured.getpeername()
        return await asyncio.shield(stream.wait_for_handshake())  # 6.4 cannot close a stream after a cancelled one
    except BaseException:
        held.close()
        raise


def check_certificate(stream: SSLIOStream, fingerprint: str) -> None:
    """Raises IdentityMismatch unless the certificate shown is the one that the run published, to the byte."""
    if not same_fingerprint(stream.socket.getpeercert(binary_form=True), fingerprint):
        raise _impostor("at its port: the key is not the one that its job published")


async def _within(seconds: float, waiting: Awaitable[T], session: Session) -> T:
    """The result in time, or the package's own error with the node's name in it."""
    node = session.connection.node if session.connection else "its node"
    try:
        return await asyncio.wait_for(_awaited(waiting), seconds)
    except asyncio.TimeoutError:
        raise Unreachable(
            f"The session's display on {node} did not answer within {seconds:.0f} s. The node may be busy or cut off; "
            "this page tries again.",
            reason="timeout",
        ) from None
    except ssl.SSLEOFError as error:
        raise _gone(node, error) from error
    except ssl.SSLError as error:
        raise _impostor(f"on {node}: the key is not the one that its job published") from error
    except (StreamClosedError, OSError) as error:
        raise _gone(node, error) from error


async def _awaited(waiting: Awaitable[T]) -> T:
    return await waiting


def _gone(node: str, error: Exception) -> Unreachable:
    cause = getattr(error, "real_error", None) or error
    why = getattr(cause, "strerror", None) or "it hung up"
    return Unreachable(f"Nobody answers at the session's display on {node} ({why}). Look at the session's log.")


def _impostor(where: str) -> IdentityMismatch:
    return IdentityMismatch(
        f"Somebody else than your session answers {where}. Nothing was sent. "
        "Stop the session and start it again; tell your site if it happens twice."
    )


def _words(what: str) -> str:
    return f"The session's display {what}. Look at the session's log, then reload the page."
