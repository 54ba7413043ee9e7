"""A sign-in that another began, or a provider that did not say it, signs nobody in."""

import asyncio
import base64
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.adapters.inbound import cookie_sessions, sign_in_cookie
from gateway.adapters.inbound.sealing import Sealing
from gateway.domain.session import Session, SignIn
from tests.servers.browser import Kept
from tests.servers.openid import CLIENT, OpenId
from tests.servers.pages import SESSION_KEY, Pages, pages
from tests.spec.sessions.steps import callback_of, failed, sealed


async def test_login_csrf_the_sign_in_of_another_browser_signs_nobody_in(shop: Pages) -> None:
    mallorys = await callback_of(shop, shop.browser(), "mallory")
    await failed(shop, shop.browser(), mallorys)
    victim = shop.browser()
    own = await callback_of(shop, victim, "alice")
    await failed(shop, victim, mallorys)
    await failed(shop, victim, own)
    assert await shop.who(victim) is None
    assert shop.provider.forms == [], "the code is not even looked at"


async def test_a_code_is_good_in_the_browser_that_began_and_once(shop: Pages) -> None:
    mallory, victim = shop.browser(), shop.browser()
    stolen = await callback_of(shop, victim, "alice")
    begun = dict(victim.kept)
    mine = await callback_of(shop, mallory, "mallory")
    code, state = [part.split("&")[0] for part in (stolen.split("code=")[1], mine.split("state=")[1])]
    injected = f"{shop.url}/session/callback?code={code}&state={state}&iss={quote(shop.provider.issuer)}"
    await failed(shop, mallory, injected)  # PKCE: its verifier is another.
    assert shop.provider.forms[-1]["code"] == code
    fresh = await callback_of(shop, victim, "alice")
    begun = dict(victim.kept)
    assert (await victim.visit(fresh, link_on=shop.provider.issuer)).status == 200
    await failed(shop, victim, fresh)
    victim.kept |= begun
    await failed(shop, victim, fresh)
    assert await shop.who(victim) == "alice"


async def test_login_csrf_a_sign_in_that_a_neighbouring_host_set_signs_nobody_in(shop: Pages) -> None:
    """Such a host can set `__Secure-` cookies for the whole domain, and no `__Host-` one."""
    host = {"Host": "shop.example", "Sec-Fetch-Site": "same-site"}
    shop.provider.person = "mallory"
    shop.provider.redirect_uris.append("http://shop.example/session/callback")

    async def ask(url: str, cookies: list[str]) -> tuple[aiohttp.ClientResponse, list[str]]:
        headers = {**host, "Cookie": "; ".join(cookies)}
        answer = await shop.session.get(url, headers=headers, allow_redirects=False)
        return answer, [line.split(";")[0] for line in answer.headers.getall("Set-Cookie", [])]

    async def begun() -> tuple[str, list[str]]:
        answer, cookies = await ask(f"{shop.url}/session/login", [])
        sent = await shop.session.get(answer.headers["Location"], allow_redirects=False)
        return sent.headers["Location"].replace("http://shop.example", shop.url), cookies

    callback, own = await begun()
    tossed = [cookie for cookie in own if not cookie.startswith("__Host-")]
    _, of_victim = await begun()
    theirs = [cookie for cookie in of_victim if cookie.startswith("__Host-")]
    for cookies in (tossed, [*tossed, *theirs]):
        answer, _ = await ask(callback, cookies)
        assert (answer.status, (await answer.json())["code"]) == (400, "sign_in_failed")
    answer, kept = await ask(callback, own)
    assert answer.status == 303
    assert any(cookie.startswith("__Host-shop-session=") for cookie in kept)


async def test_a_session_is_no_sign_in_and_a_made_up_sign_in_is_none(shop: Pages) -> None:
    victim, mallory = shop.browser(), shop.browser()
    callback = await callback_of(shop, mallory, "mallory")
    (begun,) = mallory.kept.values()
    sealing = Sealing(SignIn, [SESSION_KEY], purpose=sign_in_cookie.PURPOSE)
    known = sealing.open(begun.value)
    assert known is not None
    forged = {
        "another key": Sealing(SignIn, ["x" * 32], purpose=sign_in_cookie.PURPOSE).seal(known),
        "a session": sealed([SESSION_KEY], cookie_sessions.PURPOSE, Session("a", "t")),
    }
    for text in forged.values():
        victim.kept["127.0.0.1", "shop-sign-in"] = Kept(text, "/session/callback", "Lax", {})
        await failed(shop, victim, callback)


WRONG_ID_TOKENS: dict[str, dict[str, Any]] = {
    "another sign-in's": {"nonce": "another"},
    "none that was asked for": {"nonce": None},
    "another client's": {"aud": "another"},
    "with an authorized party that is another": {"aud": [CLIENT, "another"], "azp": "another"},
    "another issuer's": {"iss": "http://localhost:1"},
    "expired": {"exp": 1},
    "without a subject": {"sub": None},
}


@pytest.mark.parametrize("claims", WRONG_ID_TOKENS.values(), ids=WRONG_ID_TOKENS)
async def test_an_id_token_that_is_wrong_signs_nobody_in(shop: Pages, claims: dict[str, Any]) -> None:
    browser = shop.browser()
    shop.provider.id_claims = claims
    await failed(shop, browser, await callback_of(shop, browser, "alice"))


@pytest.mark.parametrize("kind", ["unsigned", "of a stranger's key", "none"])
async def test_an_id_token_that_the_provider_did_not_sign_signs_nobody_in(
    shop: Pages, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = ECKey.generate_key("P-256", {"kid": shop.provider.keys[0].kid})

    def sign(**claims: Any) -> str:
        if claims.get("aud") != CLIENT:
            return OpenId.sign(shop.provider, **claims)
        if kind == "none":
            return ""
        told = {"iss": shop.provider.issuer, "exp": 2**33, **claims}
        signed = jwt.encode({"alg": "ES256", "kid": stranger.kid}, told, stranger, algorithms=["ES256"])
        if kind == "unsigned":
            head = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
            return f"{head}.{signed.split('.')[1]}."
        return signed

    browser = shop.browser()
    monkeypatch.setattr(shop.provider, "sign", sign)
    await failed(shop, browser, await callback_of(shop, browser, "alice"))


@pytest.mark.parametrize(
    "claims", [{"aud": "another"}, {"sub": "no user id"}, {"iss": "http://x"}, {"exp": 1}]
)
async def test_an_access_token_that_is_not_for_the_shop_signs_nobody_in(
    shop: Pages, claims: dict[str, Any]
) -> None:
    browser = shop.browser()
    shop.provider.access = claims
    await failed(shop, browser, await callback_of(shop, browser, "alice"))


@pytest.mark.parametrize(
    "change",
    [
        ("iss=", "iss=http://evil.example&x="),
        ("iss=", "x="),
        ("code=", "x="),
        ("state=", "x="),
        ("state=", "state=wrong&x="),
        ("code=", "code=wrong&x="),
        ("code=", "code=a&code="),
        ("state=", "state=a&state="),
    ],
)
async def test_a_redirect_that_is_not_as_the_provider_sends_it_signs_nobody_in(
    shop: Pages, change: tuple[str, str]
) -> None:
    browser = shop.browser()
    callback = await callback_of(shop, browser, "alice")
    await failed(shop, browser, callback.replace(*change))


async def test_a_person_whom_the_provider_denies_is_not_signed_in(shop: Pages) -> None:
    browser = shop.browser()
    shop.provider.denies = "access_denied"
    await failed(shop, browser, await callback_of(shop, browser, "alice"))


async def test_a_provider_that_names_no_issuer_in_its_redirect_may_leave_it_out(shop: Pages) -> None:
    async with OpenId(names_issuer=False) as provider, pages(provider) as other:
        assert await other.who(await other.signed_in()) == "alice"


async def test_a_provider_that_is_silent_holds_up_nobody_else(
    shop: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await shop.signed_in()
    waiting = [shop.browser() for _ in range(10)]
    callbacks = [await callback_of(shop, one, "alice") for one in waiting]
    monkeypatch.setattr(shop.provider, "silent", True)
    coming = [
        asyncio.create_task(one.visit(callback, link_on=shop.provider.issuer))
        for one, callback in zip(waiting, callbacks, strict=True)
    ]
    await asyncio.sleep(0.1)
    async with asyncio.timeout(1):
        for _ in range(10):
            assert (await browser.fetch("GET", f"{shop.url}/accounts/alice")).status == 200
    for task in coming:
        task.cancel()
    await asyncio.gather(*coming, return_exceptions=True)
