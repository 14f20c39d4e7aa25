"""The addresses of a node: tried in their order, the news of all of them told in one error."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from qconnect_web.errors import IdentityMismatch, Unreachable, UpstreamFailed
from qconnect_web.transports import addresses
from qconnect_web.transports.addresses import Address, first_proved
from qconnect_web.transports.auto import reach
from qconnect_web.transports.endpoint import Endpoint
from qconnect_web.transports.tls import LOOPBACK

pytestmark = pytest.mark.unit
THREE = [Address(socket.AF_INET, (f"10.0.0.{last}", 1)) for last in (1, 2, 3)]
NOBODY, STRANGER = Unreachable("nobody"), IdentityMismatch("stranger")


def found(endpoint: Endpoint) -> list[Address]:
    return asyncio.run(addresses.addresses(endpoint))


@pytest.mark.parametrize(
    ("fails", "tried", "raised"),
    [
        ([], 1, None),
        ([NOBODY], 2, None),
        ([STRANGER, NOBODY], 3, None),
        ([NOBODY, STRANGER, NOBODY], 3, STRANGER),
        ([NOBODY, Unreachable("nobody else"), Unreachable("no third")], 3, NOBODY),
    ],
)
def test_each_address_is_tried_until_one_is_proved(
    fails: list[UpstreamFailed], tried: int, raised: UpstreamFailed | None
) -> None:
    seen: list[Address] = []

    async def attempt(address: Address) -> Address:
        seen.append(address)
        if len(seen) <= len(fails):
            raise fails[len(seen) - 1]
        return address

    if raised is None:
        assert asyncio.run(first_proved(THREE, attempt)) == THREE[tried - 1]
    else:
        with pytest.raises(UpstreamFailed) as caught:
            asyncio.run(first_proved(THREE, attempt))
        assert caught.value is raised
    assert seen == THREE[:tried]


def test_an_endpoints_addresses_are_its_hosts_in_their_order_and_few() -> None:
    assert found(Endpoint(socket=Path("/x.sock"))) == [Address(socket.AF_UNIX, "/x.sock")]
    both = found(Endpoint(hosts=LOOPBACK * 2, port=7))
    assert [(one.family, one.place[:2]) for one in both] == [
        (socket.AF_INET, ("127.0.0.1", 7)),
        (socket.AF_INET6, ("::1", 7)),
    ]
    many = tuple(f"127.0.0.{last}" for last in range(1, 9))
    assert len(found(Endpoint(hosts=many, port=7))) == addresses.MOST


@pytest.mark.parametrize("name", ["a..b", "x" * 64, "no-such-node.invalid"])
def test_a_name_that_dns_cannot_hold_has_no_address(name: str) -> None:
    with pytest.raises(OSError, match=r"[Nn]ame"):
        found(Endpoint(hosts=(name,), port=7))


@pytest.mark.parametrize("address", LOOPBACK)
def test_a_node_is_reached_by_whichever_address_takes_it(address: str) -> None:
    with socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET) as there:
        port = there.getsockname()[1]
        assert asyncio.run(reach(Endpoint(hosts=LOOPBACK, port=port))) is None
    assert asyncio.run(reach(Endpoint(hosts=LOOPBACK, port=port))) == "connection refused"
