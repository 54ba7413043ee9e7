"""A real gateway on a real port, between a client and services that do as they are told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

import gateway.main
from kernel.settings import Settings
from tests.servers.shop import answers_ready, eventually, free_port
from tests.spec.scenario import Http
from tests.unit.gateway.stub import Stub


@dataclass(frozen=True)
class Gateway:
    """`url` of a gateway, and what stands behind it."""

    url: str
    session: aiohttp.ClientSession
    http: Http
    orders: Stub
    payments: Stub


@pytest.fixture
async def orders() -> AsyncIterator[Stub]:
    async with Stub() as stub:
        yield stub


@pytest.fixture
async def payments() -> AsyncIterator[Stub]:
    async with Stub() as stub:
        yield stub


OpenGateway = Callable[..., AbstractAsyncContextManager[Gateway]]


@pytest.fixture
def open_gateway(orders: Stub, payments: Stub) -> OpenGateway:
    """Runs a gateway with these settings."""

    @asynccontextmanager
    async def run(**settings: str) -> AsyncIterator[Gateway]:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        stop = asyncio.Event()
        complete = Settings(
            gateway_port=port,
            orders_url=orders.url,
            payments_url=payments.url,
            **settings,  # type: ignore[arg-type]
        )
        serving = asyncio.create_task(gateway.main.serve(complete, stop))
        try:
            await eventually(lambda: answers_ready(url), every=0.01)
            async with aiohttp.ClientSession() as session:
                yield Gateway(url, session, Http(session), orders, payments)
        finally:
            stop.set()
            await serving

    return run


@pytest.fixture
async def shop(open_gateway: OpenGateway) -> AsyncIterator[Gateway]:
    async with open_gateway() as running:
        yield running
