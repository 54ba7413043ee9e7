"""The endpoints of a provider that is away."""

import logging

import aiohttp
import pytest

from gateway.adapters.outbound.openid_endpoints import Client, Endpoints
from kernel.domain.errors import Unavailable
from tests.memory.clock import MemoryClock
from tests.servers.ports import free_port


async def test_a_provider_that_stays_away_is_reported_once_however_rarely_people_sign_in(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "kernel")
    clock = MemoryClock()
    async with aiohttp.ClientSession() as session:
        issuer = f"http://127.0.0.1:{free_port()}"
        endpoints = Endpoints(session, issuer, Client("shop", None, "openid"), clock)
        for _ in range(3):
            with pytest.raises(Unavailable):
                await endpoints.discover()
            clock.advance(60)
    # The gateway that other tests share runs on, and tells of its services.
    (away,) = [said for said in caplog.messages if "the OpenID provider" in said]
    assert away.startswith("the OpenID provider does not answer: ")
