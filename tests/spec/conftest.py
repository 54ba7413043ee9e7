"""Each spec runs against both kinds of shop, each of which is started once.

Users are new in every test, so nothing is ever cleaned.
"""

import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.groups import only_here
from tests.servers.broker import Broker
from tests.servers.postgres import Template
from tests.servers.shop import Embedded, Shop, ThreeServices
from tests.spec.scenario import Http
from tests.spec.store import Store

KINDS = {"three services over RabbitMQ": "three_services", "embedded": "embedded"}
DOORS = {"gateway": Store.at_the_gateway, "services": Store.at_the_services}


@pytest.fixture(scope="session")
async def three_services(
    scratch: Path,
    broker: str,
    coming_broker: Broker,
    template: Template,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[ThreeServices]:
    """Each service is a user of its own at a broker of ours, and may do there what it has to."""
    only_here("services", tmp_path_factory)
    ours, folder = coming_broker.node is not None, scratch / "three-services"
    async with ThreeServices(folder, broker, template, own_users=ours) as shop:
        yield shop


@pytest.fixture(scope="session")
async def embedded(coming_embedded: Embedded) -> AsyncIterator[Embedded]:
    async with coming_embedded as shop:
        yield shop


@pytest.fixture(scope="session", params=KINDS)
def shop(request: pytest.FixtureRequest) -> Shop:
    found = request.getfixturevalue(KINDS[request.param])
    assert isinstance(found, Shop)
    return found


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[Http]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as session:
        yield Http(session)


@pytest.fixture(scope="session")
def gateway(http: Http, shop: Shop) -> Store:
    return Store.at_the_gateway(http, shop)


@pytest.fixture(scope="session", params=DOORS)
def store(request: pytest.FixtureRequest, http: Http, shop: Shop) -> Store:
    """The same promises hold at the gateway and at the services behind it."""
    return DOORS[request.param](http, shop)


@pytest.fixture(scope="session")
async def bystander(gateway: Store) -> str:
    """A user with 100.00 and an order, whom nothing that is refused may touch."""
    user = await gateway.open_account(funds="101.00")
    await gateway.decided((await gateway.placed(user, "1.00"))["id"])
    return user


@pytest.fixture
def seed() -> str:
    """The seed of a random load; SPEC_SEED replays it."""
    value = os.environ.get("SPEC_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"SPEC_SEED={value}")
    return value
