"""A page gets a session: by signing in with the provider, or for a bearer token; and it ends."""

import secrets
import time
from datetime import datetime
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from joserfc import jwt

from gateway.adapters.outbound import openid_endpoints
from tests.servers.browser import Browser
from tests.servers.openid import OpenId
from tests.servers.pages import OWN, SESSION_KEY, Pages, pages
from tests.spec.sessions.steps import begun
from tests.unit.gateway.stub import answering

HISTORY = '[[{"sequence":1,"order":{"id":"%s","userId":"alice","status":"FINISHED"}}]]'


async def test_anybody_may_ask_whether_there_is_a_session_and_a_provider(shop: Pages) -> None:
    answer = await shop.browser().fetch("GET", f"{shop.url}/session")
    assert answer.json == {"mode": "jwt", "signIn": True, "session": None}
    assert "Set-Cookie" not in answer.headers


async def test_a_person_signs_in_and_comes_back_to_where_they_were(shop: Pages) -> None:
    shop.provider.person, browser = "alice", shop.browser()
    answer = await browser.visit(f"{shop.url}/session/login?returnTo=/index.html%3Ftab%3D1")
    assert (answer.status, answer.url) == (200, f"{shop.url}/index.html?tab=1")
    login, authorize, callback, _ = browser.trail
    assert urlsplit(login).hostname != urlsplit(authorize).hostname, "the provider is another site"
    asked, told = parse_qs(urlsplit(authorize).query), parse_qs(urlsplit(callback).query)
    assert asked["redirect_uri"] == [f"{shop.url}/session/callback"]
    assert (asked["realm"], asked["response_type"], asked["scope"]) == (["tests"], ["code"], ["openid"])
    assert {"iss", "session_state", "campaign"} <= told.keys(), "what the shop did not ask for is ignored"
    assert browser.sent == [set(), set(), {"shop-sign-in"}, set()]
    state = (await browser.fetch("GET", f"{shop.url}/session")).json
    assert (state["session"]["userId"], state["session"]["role"]) == ("alice", "user")
    left = datetime.fromisoformat(state["session"]["until"]).timestamp() - time.time()
    assert 250 < left <= 300 + 30


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites_and_shows_no_token(
    shop: Pages,
) -> None:
    browser = await shop.signed_in()
    ((name, kept),) = browser.cookies(shop.url).items()
    assert (name, kept.path, kept.same_site) == ("shop-session", "/", "Strict")
    assert kept.attributes["httponly"]
    assert "secure" not in kept.attributes, "on this machine alone"
    assert "max-age" not in kept.attributes
    assert kept.value.count(".") == 4, "JWE"
    assert not any(part.startswith("eyJ") for part in kept.value.split(".")[1:]), "no token in plain text"


async def test_beyond_this_machine_cookies_are_bound_to_the_host_and_to_tls(shop: Pages) -> None:
    """tests/unit/gateway/adapters/inbound/test_cookies.py has the hosts that are beyond it."""
    host = {"Host": "shop.example:8443"}
    headers = host | {"Authorization": f"Bearer {shop.provider.access_token('alice')}"}
    (line,) = await cookies_of(shop, "POST", "/session", headers)
    assert line.startswith("__Host-shop-session=")
    assert "; Secure" in line
    line, witness = await cookies_of(shop, "GET", "/session/login", host)
    assert witness.startswith("__Host-shop-sign-in-witness=")
    for part in ("; Path=/; ", "; HttpOnly; ", "SameSite=Lax; ", "Secure; ", "Max-Age=600"):
        assert part in witness
    assert line.startswith("__Secure-shop-sign-in=")
    for part in ("; Path=/session/callback; ", "; HttpOnly; ", "SameSite=Lax; ", "Secure; ", "Max-Age=600"):
        assert part in line


async def cookies_of(shop: Pages, method: str, path: str, headers: dict[str, str]) -> list[str]:
    async with shop.session.request(
        method, f"{shop.url}{path}", headers=headers, allow_redirects=False
    ) as answer:
        assert answer.status < 400, await answer.text()
        return list(answer.headers.getall("Set-Cookie"))


async def test_services_are_called_with_the_token_of_the_session(shop: Pages) -> None:
    browser = await shop.signed_in("bob", scope="shop:operator")
    assert (await browser.fetch("GET", f"{shop.url}/session")).json["session"]["role"] == "operator"
    assert (await browser.fetch("GET", f"{shop.url}/accounts/carol")).status == 200
    answer = await browser.fetch("POST", f"{shop.url}/orders/{uuid4()}/cancel", headers=OWN)
    assert answer.status == 200
    for stub in (shop.gateway.payments, shop.gateway.orders):
        scheme, _, token = stub.calls[-1].headers["Authorization"].partition(" ")
        assert (scheme, jwt.decode(token, shop.provider.keys[0]).claims["sub"]) == ("Bearer", "bob")
        assert "Cookie" not in stub.calls[-1].headers


async def test_a_stream_opens_with_the_cookie_alone(shop: Pages) -> None:
    order_id = uuid4()
    shop.gateway.orders.reply = answering(HISTORY % order_id)
    browser = await shop.signed_in()
    answer = await browser.fetch("GET", f"{shop.url}/orders/{order_id}/events")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")
    assert (await shop.browser().fetch("GET", f"{shop.url}/orders/{order_id}/events")).status == 401


async def test_a_page_gets_the_cookie_for_a_bearer_token_too(shop: Pages) -> None:
    browser = shop.browser()
    token = shop.provider.access_token("dora", scope="shop:viewer")
    answer = await begun(shop, browser, token)
    assert answer.status == 201
    assert answer.json["session"]["role"] == "viewer"
    assert await shop.who(browser) == "dora"
    assert (await browser.fetch("GET", f"{shop.url}/accounts/dora")).status == 200
    assert shop.gateway.payments.calls[-1].headers["Authorization"] == f"Bearer {token}"


async def test_a_session_for_a_bearer_token_ends_with_the_token(shop: Pages) -> None:
    browser = shop.browser()
    assert (await begun(shop, browser, shop.provider.access_token("dora"))).status == 201
    shop.aged(browser, left_s=-1)
    assert await shop.who(browser) is None
    answer = await browser.fetch("GET", f"{shop.url}/accounts/dora")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="shop", error="invalid_token"'


@pytest.mark.parametrize("token", ["", "none.of.ours", None])
async def test_no_cookie_is_given_for_a_token_that_is_not_believed(shop: Pages, token: str | None) -> None:
    browser = await shop.signed_in()
    before = dict(browser.kept)
    headers = OWN if token is None else {"Authorization": f"Bearer {token}"}
    answer = await browser.fetch("POST", f"{shop.url}/session", headers=headers)
    assert (answer.status, answer.json["code"]) == (401, "unauthorized")
    assert browser.kept == before


async def test_long_tokens_are_split_over_cookies_and_too_long_ones_refused_clearly(shop: Pages) -> None:
    browser = await shop.signed_in(padding=secrets.token_hex(2500))
    assert browser.cookies(shop.url).keys() == {"shop-session", "shop-session-1"}
    assert all(len(name) + len(kept.value) < 4096 for name, kept in browser.cookies(shop.url).items())
    assert await shop.who(browser) == "alice"
    shop.provider.access = {}
    assert (await begun(shop, browser, shop.provider.access_token("dora"))).status == 201
    assert browser.cookies(shop.url).keys() == {"shop-session"}, "what is no longer needed is removed"
    assert await shop.who(browser) == "dora"
    shop.provider.access = shop.provider.id_claims = {"padding": secrets.token_urlsafe(5000)}
    answer = await browser.visit(f"{shop.url}/session/login")
    assert (answer.status, answer.json["code"]) == (422, "session_too_large")
    assert await shop.who(browser) == "dora"


async def test_replicas_that_share_the_key_share_sessions_and_sign_ins(shop: Pages) -> None:
    async with pages(shop.provider) as other:
        browser = await shop.signed_in()
        assert await other.who(browser) == "alice"
        browser, provider = other.browser(), shop.provider
        answer = await Browser(shop.session, browser.kept).fetch("GET", f"{shop.url}/session/login")
        async with shop.session.get(answer.headers["Location"], allow_redirects=False) as sent:
            callback = sent.headers["Location"].replace(shop.url, other.url)
        answer = await browser.visit(callback, link_on=provider.issuer)
        assert answer.status == 200
        assert await shop.who(browser) == await other.who(browser) == "alice"


async def test_two_keys_are_accepted_while_one_takes_the_place_of_the_other(shop: Pages) -> None:
    new = "n" * 32
    async with (
        pages(shop.provider, shop_session_key=f"{new},{SESSION_KEY}") as both,
        pages(shop.provider, shop_session_key=new) as only_new,
    ):
        old = await shop.signed_in()
        assert [await one.who(old) for one in (shop, both, only_new)] == ["alice", "alice", None]
        fresh = await both.signed_in()
        assert [await one.who(fresh) for one in (shop, both, only_new)] == [None, "alice", "alice"]


async def test_a_client_with_a_secret_proves_it() -> None:
    """RFC 6749, section 2.3.1: both parts are form-encoded first."""
    async with OpenId(secret="s%2B1") as provider, pages(provider, shop_oidc_client_secret="s+1") as shop:  # noqa: S106
        assert await shop.who(await shop.signed_in()) == "alice"
        provider.secret = "another"
        answer = await shop.browser().visit(f"{shop.url}/session/login")
        assert (answer.status, answer.json["code"]) == (503, "unavailable")


async def test_below_a_prefix_addresses_and_the_sign_ins_cookie_have_it() -> None:
    async with OpenId() as provider, pages(provider, shop_root_path="/shop") as shop:
        provider.redirect_uris.append(f"{shop.url}/shop/session/callback")
        for path in ("/shop/index.html", "/index.html"):
            browser = shop.browser()
            answer = await browser.visit(f"{shop.url}/shop/session/login?returnTo={path}")
            assert (answer.status, answer.url) == (200, f"{shop.url}/shop/index.html")
            assert await shop.who(browser) == "alice"
        answer = await browser.visit(f"{shop.url}/shop/session/login?returnTo=/shop//evil.example")
        assert answer.status == 400


async def test_without_a_provider_sessions_are_had_for_tokens_alone(shop: Pages) -> None:
    async with pages(shop.provider, shop_oidc_client_id=None) as other:
        browser = other.browser()
        assert not (await browser.fetch("GET", f"{other.url}/session")).json["signIn"]
        for path in ("/session/login", "/session/callback?code=x&state=y"):
            answer = await browser.fetch("GET", f"{other.url}{path}")
            assert (answer.status, answer.json["code"]) == (404, "no_provider")
        assert (await begun(other, browser, shop.provider.access_token("dora"))).status == 201
        assert (await browser.fetch("DELETE", f"{other.url}/session", headers=OWN)).status == 204


async def test_in_open_mode_there_are_no_sessions_and_none_is_asked_for(shop: Pages) -> None:
    async with pages(shop.provider, shop_auth="open") as other:
        browser = other.browser()
        answer = await browser.fetch("GET", f"{other.url}/session")
        assert answer.json == {"mode": "open", "signIn": False, "session": None}
        answer = await browser.fetch("POST", f"{other.url}/session")
        assert (answer.status, answer.json["code"]) == (409, "open_mode")
        assert (await browser.fetch("DELETE", f"{other.url}/session")).status == 204
        assert (await browser.fetch("GET", f"{other.url}/session/login")).status == 404
        assert (await browser.fetch("GET", f"{other.url}/accounts/alice")).status == 200


async def test_before_the_provider_was_ever_there_signing_in_says_so_and_then_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(openid_endpoints, "AGAIN_S", 0)
    async with OpenId() as provider, pages(provider) as shop:
        provider.endpoints = {"issuer": "http://localhost:1"}
        answer = await shop.browser().fetch("GET", f"{shop.url}/session/login")
        assert (answer.status, answer.json["code"], answer.headers["Retry-After"]) == (
            503,
            "unavailable",
            "1",
        )
        provider.endpoints = {}
        assert await shop.who(await shop.signed_in()) == "alice"
