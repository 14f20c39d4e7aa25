"""The addresses at which a display may be, one after the other, until somebody there proves to be it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ..errors import IdentityMismatch, UpstreamFailed
from .endpoint import Endpoint

MOST = 4
"""Addresses that are tried; a node has one or two, and each may be silent for as long as its caller waits."""
T = TypeVar("T")


@dataclass(frozen=True)
class Address:
    """An address as the socket module has it: a family, and a place in it."""

    family: int
    place: Any


async def addresses(endpoint: Endpoint) -> list[Address]:
    """An endpoint's socket, or all addresses of its hosts in their order; raises OSError when there is none."""
    if endpoint.socket is not None:
        return [Address(socket.AF_UNIX, str(endpoint.socket))]
    found: list[Address] = []
    for host in endpoint.hosts:
        try:
            known = await asyncio.get_running_loop().getaddrinfo(host, endpoint.port, type=socket.SOCK_STREAM)
        except UnicodeError:  # `a..b` is a name for a kernel, and none for DNS
            raise OSError(socket.EAI_NONAME, "the node's name has no address") from None
        found += [Address(family, place) for family, _, _, _, place in known]
    return list(dict.fromkeys(found))[:MOST]


async def connect(address: Address) -> socket.socket:
    """A connection to an address; raises OSError."""
    connection = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, address.place)
    except BaseException:
        connection.close()
        raise
    return connection


async def first_proved(found: list[Address], attempt: Callable[[Address], Awaitable[T]]) -> T:
    """What the first attempt gives that does not raise UpstreamFailed.

    When all do, raises IdentityMismatch if there was one, for a stranger is the news; else what the first raised.
    """
    failed: list[UpstreamFailed] = []
    for address in found:
        try:
            return await attempt(address)
        except UpstreamFailed as error:
            failed.append(error)
    raise next((error for error in failed if isinstance(error, IdentityMismatch)), failed[0])
