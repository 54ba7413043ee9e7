"""`make screenshots`: takes the pictures of the pages for README, on a shop with some orders."""

import asyncio
import tempfile
from pathlib import Path

import aiohttp
from playwright.async_api import expect

from tests.servers.chromium import chromium
from tests.servers.shop import Embedded
from tests.spec.pages.seeing import is_paid, open_view
from tests.spec.scenario import Http
from tests.spec.scenario import expect as answered
from tests.spec.store import Store

PICTURES = Path(__file__).parents[2] / "docs/pictures"
SIZE = {"width": 1200, "height": 760}
ORDERS, EVERY_S = 240, 0.25


def _reachable(folder: Path) -> Path:
    """Opens the folder to other users, because PostgreSQL may run as another user."""
    folder.chmod(0o755)
    return folder


async def take() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="shop-screenshots-") as folder:
        async with (
            Embedded(_reachable(Path(folder))) as shop,
            aiohttp.ClientSession() as session,
            chromium() as browser,
        ):
            store = Store.at_the_gateway(Http(session), shop)
            user = "alice"
            answered(201, await store.http.post(store.accounts, {"userId": user}))
            await store.deposit(user, "500.00")
            page = await browser.new_page(viewport=SIZE, locale="en-US", color_scheme="light")
            await page.goto(f"{shop.gateway}/pages/icon.svg")
            await page.evaluate("(user) => localStorage.setItem('shop.user', user)", user)
            await page.goto(shop.gateway)
            await page.get_by_role("button", name="Buy: A teapot").click()
            await is_paid(page)
            await expect(page.locator(".way li time")).to_have_count(3)
            await page.screenshot(path=PICTURES / "order.png")
            print(f"Placing {ORDERS} orders, so that the charts have something to show", flush=True)
            for number in range(ORDERS):
                await store.order(user, f"0.{1 + number % 99:02}")
                await asyncio.sleep(EVERY_S)
            await open_view(page, "operator")
            await expect(page.get_by_role("heading", name="Pulse")).to_be_visible()
            await page.screenshot(path=PICTURES / "operator.png")
    print(f"Wrote {PICTURES.relative_to(Path.cwd())}/order.png and operator.png")


if __name__ == "__main__":
    asyncio.run(take())
