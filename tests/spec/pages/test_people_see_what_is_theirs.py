"""Where the shop asks who calls, people sign in and see what is theirs; viewers change nothing."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.servers.openid import CLIENT
from tests.spec.pages.conftest import Windows
from tests.spec.pages.seeing import is_paid, open_view, to_buy
from tests.spec.scenario import new_user
from tests.spec.sessions.test_people_shop_by_their_sessions import Street, a_street

PAUSE = """() => fetch("ops/consumers/payments/pause", {
    method: "POST",
    headers: {"X-Shop-Session": "page", "Content-Type": "application/json"},
    body: '{"note": ""}',
}).then((answer) => answer.status)"""


@pytest.fixture(scope="module")
async def with_provider(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Street]:
    folder = tmp_path_factory.mktemp("with-provider")
    async with a_street(postgres_server, folder, SHOP_OIDC_CLIENT_ID=CLIENT) as street:
        yield street


@pytest.fixture(scope="module")
async def without_provider(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Street]:
    async with a_street(postgres_server, tmp_path_factory.mktemp("without-provider")) as street:
        yield street


@pytest.fixture(params=["with_provider", "without_provider"])
def street(request: pytest.FixtureRequest) -> Street:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Street)
    return found


async def signed_in(street: Street, windows: Windows, address: str = "", **claims: str) -> Page:
    """Somebody new, with a browser of their own, who wished to see this address."""
    provider = street.provider
    provider.person, provider.access = new_user(), claims
    windows.hosts = [provider.issuer]
    page = await windows(f"{street.gateway}/#/{address}")
    by_provider = page.get_by_role("link", name="Sign in")
    token = page.get_by_label("Token", exact=True)
    await expect(by_provider.or_(token)).to_be_visible()
    if await token.is_visible():
        await token.fill(provider.access_token(provider.person))
        await page.get_by_role("button", name="Sign in").click()
    else:
        await by_provider.click()
    await expect(page.get_by_role("banner").get_by_text(provider.person)).to_be_visible()
    return page


async def test_an_order_of_somebody_else_is_not_there(street: Street, windows: Windows) -> None:
    page = await signed_in(street, windows)
    await page.get_by_role("button", name="Open the account").click()
    order = await bought(page)
    other = await signed_in(street, windows, f"orders/{order}")
    await expect(other.get_by_role("heading", name="You have no such order")).to_be_visible()
    assert other.url.endswith(f"#/orders/{order}")
    await open_view(other, f"operator/orders/{order}")
    await expect(other.get_by_role("heading", name="For the shop's staff")).to_be_visible()
    await expect(other.get_by_role("link", name="Operator")).to_have_count(0)


async def bought(page: Page) -> str:
    await page.get_by_role("button", name="Deposit").click()
    await expect(page.get_by_text("100.00 deposited")).to_be_visible()
    await to_buy(page).click()
    await is_paid(page)
    return page.url.rpartition("/")[2]


async def test_a_session_that_ends_comes_back_to_its_page(with_provider: Street, windows: Windows) -> None:
    page = await signed_in(with_provider, windows, "orders")
    await page.context.clear_cookies()
    await open_view(page, "account")
    await expect(page.get_by_text("Your session has ended.")).to_be_visible()
    await page.get_by_role("link", name="Sign in").click()
    await expect(page.get_by_role("button", name="Open the account")).to_be_visible()
    assert page.url.endswith("#/account")


async def test_a_viewer_sees_the_operators_pages_and_changes_nothing(
    with_provider: Street, windows: Windows
) -> None:
    customer = await signed_in(with_provider, windows)
    user = with_provider.provider.person
    await customer.get_by_role("button", name="Open the account").click()
    order = await bought(customer)
    page = await signed_in(with_provider, windows, "operator", scope="shop:viewer")
    for address in (
        "operator",
        "operator/orders",
        f"operator/orders/{order}",
        f"operator/customers/{user}",
        "operator/messages",
        "operator/consumers",
        "operator/record",
        "operator/audit",
    ):
        await open_view(page, address)
        await expect(page.get_by_text("You are signed in as a viewer")).to_be_visible()
        assert await page.locator("details.act").count() == 0, address
    assert await page.evaluate(PAUSE) == 403
