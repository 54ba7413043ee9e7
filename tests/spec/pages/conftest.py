"""One browser for all specs of the pages, and windows that tell what went wrong in them."""

import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.servers.chromium import PICTURES, chromium
from tests.servers.shop import Embedded
from tests.spec.scenario import Http
from tests.spec.store import Store

DEADLINE_MS = 15_000.0
# A browser logs each call that gets no answer or a refusal, whatever the page does about it.
LOGGED_BY_BROWSER = "Failed to load resource"

OPERATOR = (
    "operator",
    "operator/orders",
    "operator/messages",
    "operator/consumers",
    "operator/audit",
    "operator/record",
)

expect.set_options(timeout=DEADLINE_MS)


@dataclass
class Windows:
    """Opens windows, and keeps what went wrong in them."""

    browser: Browser
    opened: AsyncExitStack
    faults: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    """Whom a window may ask beside the shop."""
    pages: list[Page] = field(default_factory=list)

    async def __call__(self, url: str, **person: Any) -> Page:
        """A window of a browser of its own that shows the page at this URL; see `person`."""
        return await self.beside(await self.person(url, **person), url)

    async def person(
        self,
        url: str,
        *,
        user: str | None = None,
        language: str = "en-US",
        colours: Literal["light", "dark"] = "light",
        width: int = 1200,
    ) -> BrowserContext:
        """A browser with the language, colours and size that a person has; it may know who they are."""
        known = [] if user is None else [{"name": "shop.user", "value": user}]
        context = await self.browser.new_context(
            locale=language,
            color_scheme=colours,
            viewport={"width": width, "height": 800},
            storage_state={"cookies": [], "origins": [{"origin": host(url), "localStorage": known}]},
        )
        self.opened.push_async_callback(context.close)
        context.set_default_timeout(DEADLINE_MS)
        return context

    async def beside(self, context: BrowserContext, url: str) -> Page:
        """One more window of the same browser."""
        page = await context.new_page()
        self.pages.append(page)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self._note(said.type, said.text))
        page.on("request", lambda asked: self._follow(host(url), asked.url))
        await page.goto(url)
        return page

    async def keep_pictures(self, folder: Path, test: str) -> None:
        for number, page in enumerate(self.pages):
            name = re.sub(r"[^\w-]+", "-", f"{test}-{number}")
            await page.screenshot(path=folder / f"{name}.png")

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith(LOGGED_BY_BROWSER):
            self.faults.append(text)

    def _follow(self, own: str, asked: str) -> None:
        if host(asked) not in (own, *self.hosts):
            self.faults.append(asked)


@dataclass(frozen=True)
class Customer:
    user: str
    orders: Sequence[str]
    """The ids of one that is paid and one that was refunded."""

    def addresses(self) -> list[str]:
        own = ["", "orders", "account", "people", "nowhere", *(f"orders/{order}" for order in self.orders)]
        seen = f"operator/orders/{self.orders[0]}"
        account = f"operator/customers/{self.user}"
        return [*own, *OPERATOR, seen, account, f"{account}/statement"]


def host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def windows(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Windows]:
    """In the end no window has logged an error, and none has asked another host for anything."""
    async with AsyncExitStack() as opened:
        windows = Windows(browser, opened)
        yield windows
        if folder := os.environ.get(PICTURES):
            await windows.keep_pictures(Path(folder), request.node.name)
    assert windows.faults == []


@pytest.fixture(scope="session")
def store_of_embedded(http: Http, embedded: Embedded) -> Store:
    return Store.at_the_gateway(http, embedded)


@pytest.fixture(scope="session")
async def customer(store_of_embedded: Store) -> Customer:
    """Somebody with orders of several statuses and with long words."""
    store = store_of_embedded
    user = await store.open_account(funds="100.00")
    paid, refunded = await store.placed(user, "1.00"), await store.placed(user, "2.00")
    await store.decided(refunded["id"])
    await store.cancel(refunded["id"])
    await store.ended(refunded["id"])
    await store.order(user, "3.00", "x" * 500)
    await store.decided(paid["id"])
    return Customer(user, [paid["id"], refunded["id"]])
