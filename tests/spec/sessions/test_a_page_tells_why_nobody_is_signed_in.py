"""A sign-in that does not work leads the person to the page that says so; programs get the problem."""

import secrets
from collections.abc import Mapping

import pytest

from tests.servers.browser import Browser
from tests.servers.openid import OpenId
from tests.servers.pages import Pages, pages
from tests.spec.scenario import Answer
from tests.spec.sessions.steps import callback_of

OPENS = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Dest": "document"}


async def told(browser: Browser, url: str, code: str, headers: Mapping[str, str] = OPENS) -> Answer:
    answer = await browser.fetch("GET", url, headers=headers)
    assert (answer.status, answer.headers["Location"]) == (303, f"/#/?problem={code}")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer


async def test_the_page_tells_a_person_that_the_provider_denied_them_and_the_sign_in_is_over(
    shop: Pages,
) -> None:
    browser = await shop.signed_in("alice")
    shop.provider.denies = "access_denied"
    callback = await callback_of(shop, browser, "alice")
    await told(browser, callback, "sign_in_failed")
    assert {name for name, _ in browser.cookies(shop.url).items()} == {"shop-session"}
    assert await shop.who(browser) == "alice"
    await told(browser, callback, "sign_in_failed")


async def test_the_page_tells_a_person_that_their_browser_began_no_such_sign_in(shop: Pages) -> None:
    mallorys = await callback_of(shop, shop.browser(), "mallory")
    victim = shop.browser()
    await told(victim, mallorys, "sign_in_failed")
    await told(victim, f"{shop.url}/session/callback", "sign_in_failed")
    assert await shop.who(victim) is None
    assert shop.provider.forms == []


async def test_the_page_tells_that_a_session_is_too_large_and_no_cookie_is_set(shop: Pages) -> None:
    shop.provider.access = shop.provider.id_claims = {"padding": secrets.token_urlsafe(5000)}
    browser = shop.browser()
    callback = await callback_of(shop, browser, "alice")
    await told(browser, callback, "session_too_large")
    assert browser.cookies(shop.url) == {}


@pytest.mark.parametrize("path", ["/session/login", "/session/callback?code=x&state=y"])
async def test_the_page_tells_that_there_is_no_provider_or_that_it_is_away(shop: Pages, path: str) -> None:
    async with pages(shop.provider, shop_oidc_client_id=None) as other:
        await told(other.browser(), f"{other.url}{path}", "no_provider")
    async with OpenId() as provider, pages(provider) as other:
        provider.endpoints = {"issuer": "http://localhost:1"}
        await told(other.browser(), f"{other.url}{path}", "unavailable")


async def test_the_page_tells_it_below_a_prefix_too() -> None:
    async with OpenId() as provider, pages(provider, shop_root_path="/shop") as shop:
        url = f"{shop.url}/shop/session/callback"
        answer = await shop.browser().fetch("GET", url, headers=OPENS)
        assert (answer.status, answer.headers["Location"]) == (303, "/shop/#/?problem=sign_in_failed")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept": "*/*"},
        {"Accept": "application/problem+json"},
        OPENS | {"Sec-Fetch-Dest": "empty"},
        OPENS | {"Sec-Fetch-Dest": "image"},
    ],
)
async def test_a_client_that_is_no_browser_opening_an_address_gets_the_problem(
    shop: Pages, headers: dict[str, str]
) -> None:
    answer = await shop.browser().fetch("GET", f"{shop.url}/session/callback", headers=headers)
    assert (answer.status, answer.json["code"]) == (400, "sign_in_failed")
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_browser_that_does_not_say_what_it_fetches_for_is_led_to_the_page(shop: Pages) -> None:
    await told(shop.browser(), f"{shop.url}/session/callback", "sign_in_failed", {"Accept": "Text/HTML"})
