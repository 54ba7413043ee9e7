"""The customer's path, in a real browser over a real shop."""

from playwright.async_api import expect

from tests.servers.shop import Embedded, Shop
from tests.spec.pages.conftest import Windows
from tests.spec.pages.seeing import is_new, is_paid, status, to_buy
from tests.spec.promises.test_paused_consumers_take_nothing import paused
from tests.spec.scenario import Http
from tests.spec.store import Store


async def test_a_newcomer_has_bought_something_and_seen_it_paid(shop: Shop, windows: Windows) -> None:
    page = await windows(shop.gateway)
    await page.get_by_role("button", name="Start shopping").click()
    await page.get_by_role("button", name="Deposit").click()
    await expect(status(page, "100.00 deposited")).to_be_visible()
    await to_buy(page).click()
    await is_paid(page)


async def test_the_keyboard_alone_is_enough(embedded: Embedded, windows: Windows) -> None:
    page = await windows(embedded.gateway)

    async def reach(name: str) -> None:
        button = page.get_by_role("button", name=name).first
        await expect(button).to_be_visible()
        for _ in range(60):
            if await button.evaluate("(button) => button === document.activeElement"):
                return
            await page.keyboard.press("Tab")
        raise AssertionError(f"{name} has no place in the order of Tab")

    for name in ("Start shopping", "Deposit", "Buy: A cup of coffee"):
        await reach(name)
        await page.keyboard.press("Enter")
        if name == "Deposit":
            await expect(status(page, "100.00 deposited")).to_be_visible()
    await is_paid(page)


async def test_a_refusal_says_what_to_do(
    embedded: Embedded, store_of_embedded: Store, windows: Windows
) -> None:
    user = await store_of_embedded.open_account(funds="1.00")
    page = await windows(embedded.gateway, user=user)
    await to_buy(page).click()
    form = page.locator("form").filter(has=to_buy(page))
    await expect(form.get_by_role("status")).to_contain_text("There is not enough money on your account")
    await form.get_by_role("link", name="Deposit money").click()
    await expect(page.get_by_label("Amount").first).to_be_focused()
    assert await store_of_embedded.orders_of(user) == []


async def test_wrong_input_is_named_beside_its_field(
    embedded: Embedded, store_of_embedded: Store, windows: Windows
) -> None:
    user = await store_of_embedded.open_account(funds="5.00")
    page = await windows(embedded.gateway, user=user)
    amount = page.get_by_label("Amount").first
    for wrong in ("", "abc", "-1", "0", "1.234", "1e3"):
        await amount.fill(wrong)
        await page.get_by_role("button", name="Deposit").click()
        await expect(amount).to_have_attribute("aria-invalid", "true")
        await expect(amount).to_be_focused()
    await amount.fill("7")
    await page.get_by_role("button", name="Deposit").click()
    await expect(status(page, "7.00 deposited")).to_be_visible()
    await expect(page.locator(".wallet .figure")).to_have_text("₽12.00")


async def test_a_double_click_buys_once(
    embedded: Embedded, store_of_embedded: Store, windows: Windows
) -> None:
    user = await store_of_embedded.open_account(funds="100.00")
    page = await windows(embedded.gateway, user=user)
    await to_buy(page).dblclick()
    await is_paid(page)
    assert len(await store_of_embedded.orders_of(user)) == 1


async def test_a_customer_who_cancels_an_order_pays_nothing(
    embedded: Embedded, store_of_embedded: Store, http: Http, windows: Windows
) -> None:
    user = await store_of_embedded.open_account(funds="100.00")
    async with paused(http, embedded, "payments"):
        order = await store_of_embedded.placed(user, "40.00")
        page = await windows(f"{embedded.gateway}/#/orders/{order['id']}", user=user)
        await is_new(page)
        await page.get_by_role("button", name="Cancel the order").click()
        await page.get_by_role("button", name="No, leave it").click()
        await page.get_by_role("button", name="Cancel the order").click()
        await page.get_by_role("button", name="Yes, cancel it").click()
        await expect(status(page, "The order is being cancelled")).to_be_visible()
        await page.reload()
        await expect(status(page, "The order is being cancelled")).to_be_visible()
    # Which of the two messages payments takes first decides.
    await expect(status(page, "Cancelled").or_(status(page, "Refunded"))).to_be_visible()
    assert str(await store_of_embedded.balance(user)) == "100.00"


async def test_an_order_is_refunded_once_it_is_asked_for(
    embedded: Embedded, store_of_embedded: Store, windows: Windows
) -> None:
    user = await store_of_embedded.open_account(funds="100.00")
    order = await store_of_embedded.placed(user, "40.00")
    page = await windows(f"{embedded.gateway}/#/orders/{order['id']}", user=user)
    await is_paid(page)
    await page.get_by_role("button", name="Ask for a refund").click()
    await page.get_by_role("button", name="Yes, refund it").click()
    await expect(status(page, "Refunded")).to_be_visible()
    assert str(await store_of_embedded.balance(user)) == "100.00"
    await page.go_back()
    await page.go_forward()
    await expect(status(page, "Refunded")).to_be_visible()
