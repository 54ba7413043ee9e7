"""Before the real services, people sign in with the provider, pay in, buy, and see what is theirs alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from shop.services import load_shop
from shop.serving import open_shop, url_of
from tests.servers.browser import Browser
from tests.servers.openid import CLIENT, OpenId
from tests.servers.pages import OWN
from tests.servers.ports import free_port
from tests.servers.postgres import create_database
from tests.servers.shop import SERVICES
from tests.spec.scenario import Answer, expect, expect_problem, new_user


class Street:
    """A shop and its provider, for people who each have a browser of their own."""

    def __init__(self, gateway: str, provider: OpenId, session: aiohttp.ClientSession) -> None:
        self.gateway = gateway
        self.provider = provider
        self._session = session

    async def signed_in(self) -> tuple[str, Browser]:
        self.provider.person, browser = new_user(), Browser(self._session)
        answer = await browser.visit(f"{self.gateway}/session/login?returnTo=/index.html")
        assert (answer.status, answer.url) == (200, f"{self.gateway}/index.html"), str(answer)
        return self.provider.person, browser

    async def ask(self, browser: Browser, method: str, path: str, body: Any = None, **more: str) -> Answer:
        """Calls as a script of the shop's own pages does."""
        return await browser.fetch(method, f"{self.gateway}{path}", headers={**OWN, **more}, body=body)


@asynccontextmanager
async def a_street(postgres_server: str, folder: Path, **settings: str) -> AsyncIterator[Street]:
    """`settings` beside those of a shop that believes this street's provider."""
    names = ("orders", "payments")
    databases = {
        name: await create_database(postgres_server, f"street_{uuid4().hex}_{name}") for name in names
    }
    async with OpenId() as provider, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        shop = load_shop(
            {
                "SHOP_AUTH": "jwt",
                "SHOP_JWT_ISSUER": provider.issuer,
                "SHOP_JWT_KEYS": f"{provider.issuer}/keys",
                "SHOP_DATA_DIR": str(folder),
            }
            | settings
            | {f"{name.upper()}_DATABASE_URL": url for name, url in databases.items()}
            | {f"{service.upper()}_PORT": str(free_port()) for service in SERVICES}
        )
        gateway = url_of(shop, "gateway")
        provider.redirect_uris.append(f"{gateway}/session/callback")
        async with open_shop(shop, asyncio.Event()):
            yield Street(gateway, provider, session)


@pytest.fixture
async def street(postgres_server: str, tmp_path: Path) -> AsyncIterator[Street]:
    async with a_street(postgres_server, tmp_path, SHOP_OIDC_CLIENT_ID=CLIENT) as street:
        yield street


async def test_a_person_signs_in_pays_in_and_buys_and_alone_sees_the_order(street: Street) -> None:
    alice, browser = await street.signed_in()
    expect(201, await street.ask(browser, "POST", "/accounts", {"userId": alice}))
    expect(200, await street.ask(browser, "POST", f"/accounts/{alice}/deposit", {"amount": 100}))
    order = {"userId": alice, "amount": 30}
    placed = expect(201, await street.ask(browser, "POST", "/orders", order, Prefer="wait=10"))
    assert placed["status"] == "FINISHED"
    path = f"/orders/{placed['id']}"
    assert expect(200, await street.ask(browser, "GET", path)) == placed
    assert expect(200, await street.ask(browser, "GET", "/orders")) == [placed]
    assert expect(200, await street.ask(browser, "GET", f"/accounts/{alice}"))["balance"] == 70

    bob, other = await street.signed_in()
    assert bob != alice
    expect_problem(await street.ask(other, "GET", path), 404, code="order_not_found")
    expect_problem(await street.ask(other, "GET", f"/accounts/{alice}"), 404, code="account_not_found")
    expect_problem(await street.ask(other, "POST", "/orders", order), 403, code="forbidden")
    assert expect(200, await street.ask(other, "GET", "/orders")) == []
