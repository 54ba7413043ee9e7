"""What people write is shown as they wrote it, wherever it is shown."""

from urllib.parse import quote

from playwright.async_api import expect

from tests.servers.shop import Embedded
from tests.spec.pages.conftest import Windows
from tests.spec.pages.seeing import HTML, open_view, shows_as_text
from tests.spec.scenario import expect as answered
from tests.spec.store import Store


async def test_a_description_that_looks_like_html_is_shown_as_text(
    embedded: Embedded, store_of_embedded: Store, windows: Windows
) -> None:
    user = await store_of_embedded.open_account(funds="10.00")
    order = answered(201, await store_of_embedded.order(user, "1.00", HTML))
    page = await windows(embedded.gateway, user=user)
    for address in ("orders", "orders/{}", "operator/orders/{}"):
        await open_view(page, address.format(order["id"]))
        await shows_as_text(page)


async def test_a_user_id_that_looks_like_html_is_shown_as_text(embedded: Embedded, windows: Windows) -> None:
    page = await windows(embedded.gateway)
    name = page.get_by_label("Your name")
    await name.fill(HTML)
    await page.get_by_role("button", name="Start shopping").click()
    await expect(name).to_have_attribute("aria-invalid", "true")
    await open_view(page, f"operator/orders/{quote(HTML, safe='')}")
    await shows_as_text(page)
    await open_view(page, f"operator/customers/{quote(HTML, safe='')}")
    assert await page.locator("main img, main b:text-is('bold')").count() == 0
