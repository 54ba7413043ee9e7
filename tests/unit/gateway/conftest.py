"""A real gateway on a real port, between a client and services that do as they are told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

import aiohttp
import msgspec
import pytest

import gateway.main
from gateway.settings import GatewaySettings
from kernel.adapters.in_process.bus import InProcessBroker, InProcessNotifications
from kernel.service import Host
from tests.catalog import CATALOG
from tests.servers.ports import free_port
from tests.servers.process import answers_ready, eventually
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
    notifications: InProcessNotifications


@asynccontextmanager
async def a_gateway(orders: Stub, payments: Stub, **settings: str) -> AsyncIterator[Gateway]:
    """Runs a gateway with these settings before these services."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    stop = asyncio.Event()
    notifications = InProcessNotifications(InProcessBroker(CATALOG))
    host = host_of(notifications, stop)
    complete = GatewaySettings(port=port, orders_url=orders.url, payments_url=payments.url)
    serving = asyncio.create_task(gateway.main.serve(msgspec.structs.replace(complete, **settings), host))
    try:
        await eventually(lambda: answers_ready(url), every=0.01)
        async with aiohttp.ClientSession() as session:
            yield Gateway(url, session, Http(session), orders, payments, notifications)
    finally:
        stop.set()
        await serving


def host_of(notifications: InProcessNotifications, stop: asyncio.Event) -> Host:
    return Host(
        bus=_no_bus, notifications=lambda: notifications, asyncapi=None, expose=lambda _: None, stop=stop
    )


def _no_bus() -> NoReturn:
    raise AssertionError("the gateway works without one")


@pytest.fixture(scope="session")
async def one_gateway() -> AsyncIterator[Gateway]:
    async with a_gateway(Stub(), Stub()) as running:
        yield running


@pytest.fixture
async def shop(one_gateway: Gateway) -> AsyncIterator[Gateway]:
    """The gateway, before services that run and were never asked anything."""
    stubs = one_gateway.orders, one_gateway.payments
    for stub in stubs:
        stub.forget()
        await stub.start()
    yield one_gateway
    for stub in stubs:
        await stub.stop()
