"""A session lives as long as the provider lets it, and ends where a person or the provider says so."""

import asyncio
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt

from gateway.adapters.outbound import openid_endpoints
from gateway.application import renew_session
from kernel.adapters.identity import key_ring
from tests.servers.browser import Browser
from tests.servers.openid import OpenId
from tests.servers.pages import OWN, Pages, pages
from tests.spec.sessions.steps import begun


async def test_the_access_token_is_renewed_before_it_ends_and_the_answer_brings_the_new_cookie(
    shop: Pages,
) -> None:
    browser = await shop.signed_in()
    assert (await browser.fetch("GET", f"{shop.url}/accounts/alice")).status == 200
    assert grants(shop) == ["authorization_code"], "not yet"
    (first,) = shop.aged(browser, left_s=50).cookies(shop.url).values()
    assert (await browser.fetch("GET", f"{shop.url}/accounts/alice")).status == 200
    assert grants(shop) == ["authorization_code", "refresh_token"]
    (second,) = browser.cookies(shop.url).values()
    assert second.value != first.value
    assert (second.path, second.same_site) == (first.path, first.same_site)
    token = shop.gateway.payments.calls[-1].headers["Authorization"].removeprefix("Bearer ")
    assert jwt.decode(token, shop.provider.keys[0]).claims["exp"] > time.time() + 200
    assert (await browser.fetch("GET", f"{shop.url}/accounts/alice")).status == 200
    assert grants(shop) == ["authorization_code", "refresh_token"], "no more often than needed"


def grants(shop: Pages) -> list[Any]:
    return [form["grant_type"] for form in shop.provider.forms]


@pytest.mark.parametrize("left_s", [50, -1])
async def test_many_calls_at_once_renew_once_and_late_ones_with_the_old_cookie_are_served(
    shop: Pages, left_s: int
) -> None:
    """The provider ends a session whose refresh token comes twice."""
    browser = shop.aged(await shop.signed_in(), left_s=left_s)
    others = [Browser(shop.session, dict(browser.kept)) for _ in range(10)]
    answers = await asyncio.gather(*(one.fetch("GET", f"{shop.url}/accounts/alice") for one in others))
    assert {answer.status for answer in answers} == {200}
    assert (await browser.fetch("GET", f"{shop.url}/accounts/alice")).status == 200
    assert grants(shop) == ["authorization_code", "refresh_token"]
    assert not any(family.ended for family in shop.provider.families.values())


async def test_asking_for_the_session_renews_it_too(shop: Pages) -> None:
    browser = shop.aged(await shop.signed_in(), left_s=-1)
    assert await shop.who(browser) == "alice"
    assert grants(shop)[-1] == "refresh_token"


async def test_while_the_provider_is_silent_a_good_token_is_used_and_without_one_the_call_may_be_repeated(
    shop: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renew_session, "PATIENCE_S", 0.05)
    monkeypatch.setattr(openid_endpoints, "ANSWERS_WITHIN_S", 0.3)
    good, ended = [shop.aged(await shop.signed_in(), left_s=left_s) for left_s in (50, -1)]
    before = dict(ended.kept)
    shop.provider.silent = True
    began = time.monotonic()
    assert (await good.fetch("GET", f"{shop.url}/accounts/alice")).status == 200
    assert time.monotonic() - began < 0.25
    answer = await ended.fetch("GET", f"{shop.url}/accounts/alice")
    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert ended.kept == before, "it is not lost"
    assert (await shop.browser().fetch("GET", f"{shop.url}/session")).status == 200


async def test_a_session_that_the_provider_ends_ends_with_its_access_token(shop: Pages) -> None:
    browser = shop.aged(await shop.signed_in(), left_s=50)
    for family in shop.provider.families.values():
        family.ended = True
    assert (await browser.fetch("GET", f"{shop.url}/accounts/alice")).status == 200
    shop.aged(browser, left_s=-1)
    assert (await browser.fetch("GET", f"{shop.url}/accounts/alice")).status == 401
    assert await shop.who(browser) is None
    assert grants(shop).count("refresh_token") == 1


async def test_a_session_is_never_renewed_into_somebody_elses(shop: Pages) -> None:
    browser = shop.aged(await shop.signed_in("alice"), left_s=-1)
    shop.provider.access = {"sub": "mallory"}
    assert await shop.who(browser) is None
    assert grants(shop)[-1] == "refresh_token"


async def test_a_session_outlives_the_key_that_signed_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider withdraws it and signs with another; the refresh token is as good as before."""
    monkeypatch.setattr(key_ring, "AGAIN_S", 0)
    async with OpenId() as provider, pages(provider) as shop:
        by_provider, by_token = await shop.signed_in("alice"), shop.browser()
        assert (await begun(shop, by_token, provider.access_token("dora"))).status == 201
        provider.rotate()
        assert await shop.who(await shop.signed_in("bob")) == "bob"
        assert (await shop.who(by_provider), await shop.who(by_token)) == ("alice", None)


async def test_signing_out_removes_the_cookie_and_leads_to_the_provider(shop: Pages) -> None:
    browser = await shop.signed_in()
    answer = await browser.fetch("DELETE", f"{shop.url}/session", headers=OWN)
    assert answer.status == 200
    assert browser.cookies(shop.url) == {}
    url = answer.json["signOutUrl"]
    hint = parse_qs(urlsplit(url).query)["id_token_hint"][0]
    assert jwt.decode(hint, shop.provider.keys[0]).claims["sub"] == "alice"
    assert (await browser.visit(url)).body.decode() == f"good bye; back to {shop.url}/"
    assert await shop.who(browser) is None


async def test_nothing_that_was_read_stays_in_the_browser_after_signing_out(shop: Pages) -> None:
    """https://www.w3.org/TR/clear-site-data/: a browser obeys it over HTTPS and on loopback."""
    browser = await shop.signed_in()
    answer = await browser.fetch("DELETE", f"{shop.url}/session", headers=OWN)
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    ended = shop.aged(await shop.signed_in(), left_s=-1)
    answer = await ended.fetch("DELETE", f"{shop.url}/session", headers=OWN)
    assert (answer.status, answer.headers["Clear-Site-Data"]) == (401, '"cache"')


async def test_without_an_end_session_endpoint_signing_out_is_done_at_once() -> None:
    async with OpenId(endpoints={"end_session_endpoint": None}) as provider, pages(provider) as shop:
        browser = await shop.signed_in()
        assert (await browser.fetch("DELETE", f"{shop.url}/session", headers=OWN)).status == 204
        assert browser.cookies(shop.url) == {}


async def test_a_person_may_sign_out_of_an_ended_session_and_while_the_provider_is_away(shop: Pages) -> None:
    browser = shop.aged(await shop.signed_in(), left_s=-1)
    shop.provider.silent = True
    async with asyncio.timeout(2):
        answer = await browser.fetch("DELETE", f"{shop.url}/session", headers=OWN)
    assert answer.status == 401
    assert browser.cookies(shop.url) == {}
