"""What a page shows goes on after a lost line, in every window, and no window keeps another one waiting."""

from playwright.async_api import Browser, Route, expect

from tests.servers.cable import Cable
from tests.servers.process import eventually
from tests.servers.shop import Embedded
from tests.servers.tabs import tabs
from tests.spec.pages.conftest import Windows
from tests.spec.pages.seeing import is_new, is_paid, open_view, status, to_buy
from tests.spec.promises.test_paused_consumers_take_nothing import paused
from tests.spec.scenario import Http
from tests.spec.store import Store


async def test_a_line_that_is_cut_in_the_middle_of_a_stream_comes_back(
    embedded: Embedded, store_of_embedded: Store, http: Http, windows: Windows
) -> None:
    user = await store_of_embedded.open_account(funds="10.00")
    async with Cable(embedded.gateway) as cable:
        async with paused(http, embedded, "payments"):
            order = await store_of_embedded.placed(user, "1.00")
            page = await windows(f"{cable.url}/#/orders/{order['id']}", user=user)
            await is_new(page)
            async with cable.away():
                await expect(page.get_by_text("connection is lost")).to_be_visible()
            await expect(page.get_by_text("connection is lost")).to_be_hidden()
        await is_paid(page)


async def test_a_browser_without_a_network_waits_for_it(
    embedded: Embedded, store_of_embedded: Store, http: Http, windows: Windows
) -> None:
    user = await store_of_embedded.open_account(funds="100.00")
    page = await windows(embedded.gateway, user=user)
    await expect(to_buy(page)).to_be_visible()
    await page.context.set_offline(True)
    await to_buy(page).click()
    await expect(page.get_by_text("No answer yet").first).to_be_visible()
    await page.context.set_offline(False)
    await is_paid(page)
    assert len(await store_of_embedded.orders_of(user)) == 1


async def test_a_reload_sends_what_had_no_answer_again_under_its_key(
    embedded: Embedded, store_of_embedded: Store, windows: Windows
) -> None:
    user = await store_of_embedded.open_account(funds="100.00")
    async with Cable(embedded.gateway) as cable:
        page = await windows(cable.url, user=user)
        await expect(to_buy(page)).to_be_visible()
        keys: list[str] = []

        async def answer_is_lost(route: Route) -> None:
            keys.append(route.request.headers["idempotency-key"])
            if len(keys) == 1:
                await route.fetch()
                await route.abort()
            elif len(keys) == 2:
                await route.abort()
            else:
                await route.continue_()

        await page.route("**/orders", answer_is_lost)
        await to_buy(page).click()
        await expect(page.get_by_text("No answer yet").first).to_be_visible()
        await page.reload()
        await is_paid(page)
    assert len(set(keys)) == 1
    assert len(await store_of_embedded.orders_of(user)) == 1


async def test_two_windows_show_one_order(
    embedded: Embedded, store_of_embedded: Store, windows: Windows
) -> None:
    user = await store_of_embedded.open_account(funds="10.00")
    order = await store_of_embedded.placed(user, "4.00")
    url = f"{embedded.gateway}/#/orders/{order['id']}"
    person = await windows.person(embedded.gateway, user=user)
    first, second = await windows.beside(person, url), await windows.beside(person, url)
    await is_paid(first)
    await is_paid(second)
    await first.get_by_role("button", name="Refund").click()
    await first.get_by_role("button", name="Yes").click()
    for window in (first, second):
        await window.bring_to_front()
        await expect(status(window, "Refunded")).to_be_visible()


async def test_eight_orders_that_stay_new_in_three_windows_leave_room_for_a_click(
    embedded: Embedded, store_of_embedded: Store, http: Http, windows: Windows
) -> None:
    user = await store_of_embedded.open_account(funds="100.00")
    async with paused(http, embedded, "payments"):
        orders = [await store_of_embedded.placed(user, "1.00") for _ in range(8)]
        person = await windows.person(embedded.gateway, user=user)
        pages = [await windows.beside(person, f"{embedded.gateway}/") for _ in range(3)]
        for number, order in enumerate(orders):
            page = pages[number % len(pages)]
            await open_view(page, f"orders/{order['id']}")
            await is_new(page)
        for page in pages:
            await page.get_by_role("link", name="Goods").click()
            await expect(to_buy(page)).to_be_visible()
        await to_buy(pages[0]).click()
        await is_new(pages[0])
    await is_paid(pages[0])


async def test_a_window_out_of_sight_holds_no_stream(
    embedded: Embedded, store_of_embedded: Store, http: Http, browser: Browser
) -> None:
    user = await store_of_embedded.open_account(funds="10.00")
    async with tabs(browser) as window:
        async with paused(http, embedded, "payments"):
            order = await store_of_embedded.placed(user, "1.00")
            tab = await window.open(f"{embedded.gateway}/pages/icon.svg")

            async def is_known() -> bool:
                await tab.evaluate(f"localStorage.setItem('shop.user', '{user}')")
                return bool(await tab.evaluate("localStorage.getItem('shop.user')") == user)

            await eventually(is_known)
            await tab.go(f"{embedded.gateway}/#/orders/{order['id']}")
            await eventually(lambda: len(tab.open_streams()) == 1)
            await window.open("about:blank")
            await eventually(lambda: tab.open_streams() == [])
            await tab.to_front()
            await eventually(lambda: len(tab.open_streams()) == 1)

        async def is_told() -> bool:
            return "Paid" in str(await tab.evaluate("document.querySelector('.status').innerText"))

        await eventually(is_told)
