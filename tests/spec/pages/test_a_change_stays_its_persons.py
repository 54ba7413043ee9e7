"""A change without an answer is sent again by whoever made it, and by nobody else."""

from playwright.async_api import Page, Route, expect

from tests.servers.shop import Embedded
from tests.spec.pages.conftest import Windows
from tests.spec.store import Store

AWAY = '{"code":"unavailable","detail":"payments is away","status":503}'


async def away(route: Route) -> None:
    if route.request.method == "POST":
        await route.fulfill(status=503, content_type="application/problem+json", body=AWAY)
    else:
        await route.continue_()


async def an_unanswered_deposit(windows: Windows, url: str, user: str) -> Page:
    page = await windows(f"{url}/#/account", user=user)
    await page.route("**/deposit", away)
    await page.get_by_role("button", name="Deposit").click()
    await expect(page.get_by_text("No answer yet")).to_be_visible()
    return page


async def test_a_change_without_an_answer_is_not_sent_for_the_next_person(
    embedded: Embedded, store_of_embedded: Store, windows: Windows
) -> None:
    first, second = [await store_of_embedded.open_account() for _ in range(2)]
    page = await an_unanswered_deposit(windows, embedded.gateway, first)
    for user in (second, first):
        await page.evaluate("(user) => localStorage.setItem('shop.user', user)", user)
        await page.reload()
        await expect(page.locator("header .name")).to_have_text(user)
        await expect(page.get_by_role("button", name="Deposit")).to_be_enabled()
        assert (
            await page.evaluate("Object.keys(sessionStorage).filter((key) => key.includes('pending'))") == []
        )


async def test_a_person_may_give_up_a_change_and_is_told_that_it_may_have_happened(
    embedded: Embedded, store_of_embedded: Store, windows: Windows
) -> None:
    page = await an_unanswered_deposit(windows, embedded.gateway, await store_of_embedded.open_account())
    await page.get_by_role("button", name="Do not send it again").click()
    await expect(page.get_by_text("It may have happened all the same")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("button", name="Deposit")).to_be_visible()
    await expect(page.get_by_text("No answer yet")).to_have_count(0)
