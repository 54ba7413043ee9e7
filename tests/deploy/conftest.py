from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.deploy.compose_shop import ComposeShop
from tests.deploy.image import UV, Image, python_for_everybody
from tests.deploy.typescript import install
from tests.servers.broker import Broker
from tests.servers.postgres import Template
from tests.spec.scenario import Http
from tests.spec.store import Store


@pytest.fixture(scope="session")
def image(scratch: Path) -> Iterator[Image]:
    if not UV.exists():
        pytest.skip(f"{UV} is not there: `make test` brings it")
    try:
        image = Image(scratch / "image", python_for_everybody())
    except LookupError as missing:
        pytest.skip(str(missing))
    try:
        image.build()
        yield image
    finally:
        image.remove()


@pytest.fixture(scope="session")
def installed() -> Path:
    return install()


@pytest.fixture(scope="module")
async def compose_shop(
    scratch: Path, image: Image, broker: str, coming_broker: Broker, template: Template
) -> AsyncIterator[ComposeShop]:
    ours = coming_broker.node is not None
    async with ComposeShop(scratch / "compose", image, broker, template, own_users=ours) as shop:
        yield shop


@pytest.fixture(scope="module")
async def store(compose_shop: ComposeShop) -> AsyncIterator[Store]:
    async with aiohttp.ClientSession() as session:
        yield Store.at_the_gateway(Http(session), compose_shop)
