"""An operator finds out from the pages alone why something is stuck, mends it, and sees it recorded."""

from functools import partial

from playwright.async_api import Page, expect
from uuid_utils.compat import uuid7

from tests.servers.process import eventually
from tests.servers.shop import Embedded
from tests.spec.pages.conftest import Windows
from tests.spec.pages.seeing import HTML, does, open_view, shows_as_text, tag, violations
from tests.spec.promises.test_paused_consumers_take_nothing import resume
from tests.spec.promises.test_unhandled_messages_are_parked import (
    ORDER_PLACED,
    add_order,
    ask,
    database,
    new_order_id,
    operated,
    waiting,
)
from tests.spec.promises.test_what_is_away_only_delays import is_ready
from tests.spec.scenario import Http
from tests.spec.store import Store


async def look_for(page: Page, what: str) -> None:
    await page.get_by_label("Order id or user id").fill(what)
    await page.get_by_role("button", name="Find").click()


async def is_recorded(page: Page, *said: str) -> None:
    await page.get_by_role("link", name="Record").click()
    act = page.locator("main li")
    for text in said:
        act = act.filter(has_text=text)
    await expect(act.first).to_be_visible()


async def test_an_order_behind_a_paused_consumer_is_found_out_and_goes_on(
    embedded: Embedded, store_of_embedded: Store, http: Http, windows: Windows
) -> None:
    user = await store_of_embedded.open_account(funds="10.00")
    page = await windows(f"{embedded.gateway}/#/operator/consumers")
    try:
        await does(page, "Pause Payments", "Pause", note=HTML)
        await shows_as_text(page)
        await eventually(partial(is_ready, http, embedded.payments, degraded=["paused"]))
        order = await store_of_embedded.placed(user, "4.00")

        await page.get_by_role("link", name="Pulse").click()
        await expect(page.get_by_role("link", name="The consumer of Payments is paused")).to_be_visible()
        await look_for(page, order["id"])
        await expect(page.locator(".waits")).to_contain_text("The consumer of Payments is paused")
        await does(page, "Resume Payments", "Resume", note=order["id"])
        await expect(tag(page, "Paid").first).to_be_visible()
        await expect(page.get_by_text("It waits for nothing.")).to_be_visible()
    finally:
        await resume(http, embedded, "payments")
    await is_recorded(page, "Consumer resumed", order["id"])
    await is_recorded(page, "Consumer paused", HTML)
    await shows_as_text(page)


async def test_a_parked_message_is_replayed_until_its_order_is_settled(
    embedded: Embedded, store_of_embedded: Store, windows: Windows
) -> None:
    user = await store_of_embedded.open_account(funds="10.00")
    order_id = new_order_id(user)

    async def is_parked() -> bool:
        return any(one.subject == str(order_id) for one in await waiting(settings))

    page = await windows(f"{embedded.gateway}/#/operator")
    with operated(embedded) as settings:
        await ask(settings, order_id, user, "4.00")
        await eventually(is_parked)
        await page.get_by_role("link", name="Messages").click()
        await page.get_by_role("link", name="Orders: There is no such order").click()
        await expect(page.locator("article").filter(has_text=str(order_id))).to_be_visible()
        await add_order(settings, order_id, user, 400)
    await look_for(page, str(order_id))
    await expect(page.locator(".waits")).to_contain_text("A message is parked at Orders")
    await does(page.locator("article"), "Replay", "Replay now")
    await expect(page.get_by_text("1 of 1 went back to their consumer.")).to_be_visible()
    await expect(tag(page, "Paid").first).to_be_visible()
    await is_recorded(page, "Messages replayed")
    assert str(await store_of_embedded.balance(user)) == "6.00"


async def test_a_message_that_looks_like_html_is_text_and_is_discarded_with_a_note(
    embedded: Embedded, windows: Windows
) -> None:
    event = f'{{"specversion":"1.0","id":"{uuid7()}","source":"{HTML}","subject":"{HTML}"}}'
    with operated(embedded) as settings:
        async with database(settings, "orders") as orders:
            await orders.execute(
                "INSERT INTO outbox VALUES ($1, $2, $3)", ORDER_PLACED, uuid7(), event.encode()
            )

        async def parked() -> str | None:
            return next((one.group for one in await waiting(settings) if HTML in one.payload), None)

        group = await eventually(parked)
        page = await windows(f"{embedded.gateway}/#/operator/messages/{group}")
        message = page.locator("article").filter(has_text=HTML)
        await message.locator("summary", has_text="Content (").click()
        await shows_as_text(page)
        await does(message, "Discard", "Discard for good", note=HTML)
        await expect(page.get_by_text("1 of 1 were discarded.")).to_be_visible()
        assert await violations(page) == []
        assert await parked() is None
    await is_recorded(page, "Messages discarded", HTML)
    await shows_as_text(page)
    await page.get_by_role("link", name="The operation's page").first.click()
    await expect(page.get_by_role("heading", name="Operation")).to_be_visible()
    await shows_as_text(page)
    assert await violations(page) == []


async def test_an_audit_of_a_damaged_database_shows_what_is_wrong(
    embedded: Embedded, store_of_embedded: Store, windows: Windows
) -> None:
    user = await store_of_embedded.open_account(funds="10.00")
    page = await windows(f"{embedded.gateway}/#/operator")
    add = "UPDATE accounts SET balance = balance + $2 WHERE user_id = $1"
    with operated(embedded) as settings:
        async with database(settings, "payments") as payments:
            await payments.execute(add, user, 7)
            try:
                await open_view(page, "operator/audit")
                await does(page, "Begin an audit", "Begin an audit")
                finding = page.locator(".finding").filter(has_text=user)
                await expect(finding.first).to_be_visible()
                await expect(
                    finding.filter(has_text="The balance is not the sum of its transfers")
                ).to_be_visible()
                assert await violations(page) == []
            finally:
                await payments.execute(add, user, -7)
        await page.get_by_role("link", name="Pulse").click()
        await expect(page.get_by_role("link", name="The audit found something wrong").first).to_be_visible()
        await open_view(page, "operator/audit")
        await does(page, "Begin an audit", "Begin an audit")
        await expect(tag(page, "Sound")).to_be_visible()
        await expect(page.locator(".finding")).to_have_count(0)
