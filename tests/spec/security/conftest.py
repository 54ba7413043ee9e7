"""A shop that asks who calls, in this process, so that its statements can be counted; and its callers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from shop.services import load_shop
from shop.serving import open_shop, url_of
from tests.servers.keys import Keys
from tests.servers.ports import free_port
from tests.servers.postgres import create_database
from tests.servers.shop import SERVICES
from tests.spec.scenario import Answer, Http, new_user


@dataclass(frozen=True)
class Guarded:
    """A shop in jwt mode."""

    http: Http
    urls: Mapping[str, str]
    metrics: str
    """Of the port that is theirs."""
    keys: Keys
    databases: Mapping[str, str]
    """Their URLs."""

    async def ask(self, token: str | None, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        given = [(name.replace("_", "-"), text) for name, text in headers.items()]
        if token is not None:
            given.append(("Authorization", f"Bearer {token}"))
        return await self.http(method, url, body, headers=given)

    async def customer(self, funds: int = 100) -> str:
        """Somebody with an account and these funds."""
        user = new_user()
        token, accounts = self.keys.token(user), f"{self.urls['gateway']}/accounts"
        assert (await self.ask(token, "POST", accounts, {"userId": user})).status == 201
        assert (await self.ask(token, "POST", f"{accounts}/{user}/deposit", {"amount": funds})).status == 200
        return user

    async def order_of(self, user: str, amount: int = 10) -> str:
        """The id of an order of theirs that is decided."""
        url, body = f"{self.urls['gateway']}/orders", {"userId": user, "amount": amount}
        placed = await self.ask(self.keys.token(user), "POST", url, body, Prefer="wait=10")
        assert placed.status == 201
        assert placed.json["status"] == "FINISHED"
        return str(placed.json["id"])


@pytest.fixture(scope="package")
async def guarded(
    postgres_server: str, http: Http, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Guarded]:
    folder, metrics_port = tmp_path_factory.mktemp("guarded"), free_port()
    names = ("orders", "payments")
    databases = {name: await create_database(postgres_server, f"guarded_{name}") for name in names}
    shop = load_shop(
        {
            "SHOP_AUTH": "jwt",
            "SHOP_RATE_LIMIT": "1000000/second",
            "SHOP_DATA_DIR": str(folder),
            "METRICS_PORT": str(metrics_port),
        }
        | {f"{name.upper()}_DATABASE_URL": url for name, url in databases.items()}
        | {f"{service.upper()}_PORT": str(free_port()) for service in SERVICES}
    )
    async with open_shop(shop, asyncio.Event()):
        urls = {name: url_of(shop, name) for name in SERVICES}
        metrics = f"http://127.0.0.1:{metrics_port}/metrics"
        yield Guarded(http, urls, metrics, Keys(folder), databases)
