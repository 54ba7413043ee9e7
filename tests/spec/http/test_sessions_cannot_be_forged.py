"""Pages of other sites, stolen parts of a sign-in and made-up cookies get nobody in, nor in as another."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, OctKey

from gateway.adapters.inbound import cookie_sessions, sign_in_cookie
from gateway.adapters.inbound.sealing import Sealing
from gateway.domain.session import Session, SignIn
from kernel.adapters.http.middleware.cors import cors_config
from kernel.adapters.identity.services import ServiceTokens
from kernel.adapters.system_clock import SystemClock
from tests.servers.browser import Browser, Kept
from tests.servers.openid import CLIENT, OpenId
from tests.servers.pages import OWN, SERVICE_KEY, SESSION_KEY, Pages, pages
from tests.spec.scenario import Answer

EVIL = "http://evil.example/page"
ORDER = "/orders/01980000-0000-7000-8000-000000000001"


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[Pages]:
    async with OpenId() as provider, pages(provider, shop_cors_origins="*") as shop:
        yield shop


@pytest.fixture
def shop(running: Pages) -> Iterator[Pages]:
    """With a provider that does what is right, and services that were asked nothing yet."""
    fresh, provider = OpenId(), running.provider
    for name in ("access", "id_claims", "denies", "names_issuer", "forms", "endpoints"):
        setattr(provider, name, getattr(fresh, name))
    for stub in (running.gateway.orders, running.gateway.payments):
        stub.forget()
    return running


def asked(shop: Pages) -> list[str]:
    """What reached the services."""
    return shop.gateway.orders.targets + shop.gateway.payments.targets


CHANGES = [
    ("POST", "/accounts"),
    ("POST", "/accounts/alice/deposit"),
    ("POST", "/orders"),
    ("POST", "/orders/batch"),
    ("POST", f"{ORDER}/cancel"),
    ("DELETE", "/session"),
    *(
        ("GET", path)
        for path in (
            "/accounts/alice/deposit?amount=1",
            "/accounts/alice/deposit/?amount=1",
            "//accounts///alice//deposit//?amount=1",
            "/accounts/alice/%64eposit?amount=1",
        )
    ),
]
JSON = {"Content-Type": "application/json", "Content-Length": "0"}


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_csrf_a_change_by_cookie_without_our_header_is_refused(
    shop: Pages, method: str, path: str
) -> None:
    """Even if a browser sent the cookie, as one does for a page of a sister host."""
    browser = await shop.signed_in()
    before = dict(browser.kept)
    bare = await raw(shop, browser, method, path)
    assert (bare.status, bare.json["code"]) == (403, "forbidden")
    assert "X-Shop-Session" in bare.json["detail"]
    for site in ("cross-site", "same-site"):
        answer = await raw(shop, browser, method, path, {"X-Shop-Session": "1", "Sec-Fetch-Site": site})
        assert answer.status == 403
    assert asked(shop) == []
    assert browser.kept == before
    answer = await raw(shop, browser, method, path, OWN)
    assert answer.status not in (401, 403), "with it, the route decides"


async def raw(
    shop: Pages, browser: Browser, method: str, path: str, headers: dict[str, str] | None = None
) -> Answer:
    """A call with the cookies of this browser, whatever SameSite says."""
    cookie = "; ".join(f"{name}={kept.value}" for name, kept in browser.cookies(shop.url).items())
    return await shop.gateway.http(
        method, f"{shop.url}{path}", headers=[("Cookie", cookie), *(headers or {}).items()]
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_csrf_a_link_or_form_of_another_site_does_not_bring_the_cookie(
    shop: Pages, method: str
) -> None:
    browser = await shop.signed_in()
    answer = await browser.visit(f"{shop.url}/accounts/alice/deposit?amount=1", link_on=EVIL, method=method)
    assert (answer.status, browser.sent) == (401, [set()])
    assert asked(shop) == []


async def test_csrf_reads_need_no_header(shop: Pages) -> None:
    browser = await shop.signed_in()
    for path in ("/accounts/alice", "/accounts/alice/transactions", "/orders?userId=alice"):
        assert (await raw(shop, browser, "GET", path)).status == 200
        assert (await raw(shop, browser, "HEAD", path)).status == 200


def test_csrf_no_other_origin_may_ever_send_our_header() -> None:
    allowed = cors_config("*")
    assert "x-shop-session" not in {name.lower() for name in allowed.allow_headers}
    assert "*" not in allowed.allow_headers
    assert not allowed.allow_credentials


async def test_fixation_a_session_that_was_there_before_is_not_taken_over(shop: Pages) -> None:
    mallory = await shop.signed_in("mallory")
    victim = Browser(shop.session, dict(mallory.kept))
    shop.provider.person = "alice"
    await victim.visit(f"{shop.url}/session/login?returnTo=/index.html")
    assert (await shop.who(victim), await shop.who(mallory)) == ("alice", "mallory")
    assert victim.kept != mallory.kept


async def test_fixation_whoever_sends_two_cookies_of_the_name_is_not_believed(shop: Pages) -> None:
    alice, mallory = await shop.signed_in("alice"), await shop.signed_in("mallory")
    values = [kept.value for one in (alice, mallory) for kept in one.kept.values()]
    for pair in (values, values[::-1], values[:1] * 2):
        line = "; ".join(f"shop-session={text}" for text in pair)
        answer = await shop.gateway.http("GET", f"{shop.url}/accounts/alice", headers=[("Cookie", line)])
        assert answer.status == 401


async def test_fixation_beyond_this_machine_a_cookie_that_others_can_set_is_not_read(shop: Pages) -> None:
    (kept,) = (await shop.signed_in()).kept.values()
    found = {}
    for name in ("shop-session", "__Secure-shop-session", "__Host-shop-session"):
        headers = [("Host", "shop.example"), ("Cookie", f"{name}={kept.value}")]
        found[name] = (await shop.gateway.http("GET", f"{shop.url}/accounts/alice", headers=headers)).status
    assert found == {"shop-session": 401, "__Secure-shop-session": 401, "__Host-shop-session": 200}


async def callback_of(shop: Pages, browser: Browser, person: str) -> str:
    """This person signs in at the provider; the redirect back is caught."""
    shop.provider.person = person
    answer = await browser.fetch("GET", f"{shop.url}/session/login?returnTo=/index.html")
    async with shop.session.get(answer.headers["Location"], allow_redirects=False) as sent:
        return sent.headers["Location"]


async def failed(shop: Pages, browser: Browser, callback: str) -> None:
    before = {name: kept for name, kept in browser.cookies(shop.url).items() if "sign-in" not in name}
    answer = await browser.visit(callback, link_on=shop.provider.issuer)
    assert (answer.status, answer.json["code"]) == (400, "sign_in_failed")
    assert answer.json["detail"] == "signing in did not work; begin again at /session/login"
    assert browser.cookies(shop.url) == before, "what was begun is over, and a session stays"


async def test_login_csrf_the_sign_in_of_another_browser_signs_nobody_in(shop: Pages) -> None:
    mallorys = await callback_of(shop, shop.browser(), "mallory")
    await failed(shop, shop.browser(), mallorys)
    victim = shop.browser()
    own = await callback_of(shop, victim, "alice")
    await failed(shop, victim, mallorys)
    await failed(shop, victim, own)
    assert await shop.who(victim) is None
    assert shop.provider.forms == [], "the code is not even looked at"


async def test_login_csrf_another_sites_page_exchanges_no_token(shop: Pages) -> None:
    victim, token = shop.browser(), shop.provider.access_token("mallory")
    headers = {"Authorization": f"Bearer {token}"}
    answer = await victim.fetch("POST", f"{shop.url}/session", page=EVIL, headers=headers)
    assert (answer.status, victim.kept) == (403, {})


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


ELSEWHERE = [
    "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
    "evil", "/\n/evil.example", "///evil.example", "", " /index.html", "javascript:alert(1)", "/a\\b", "/é",
    "/a b", "http:/evil.example", "/" + "a" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("address", ELSEWHERE)
async def test_open_redirect_the_return_address_is_a_path_of_ours(shop: Pages, address: str) -> None:
    url = f"{shop.url}/session/login?returnTo={quote(address, safe='')}"
    answer = await shop.browser().fetch("GET", url)
    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "returnTo")
    assert "Location" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example/x", "a b", "shop.example:99999x", "user@evil.example", ""])
async def test_open_redirect_the_provider_is_given_no_address_that_is_none(shop: Pages, host: str) -> None:
    answer = await shop.gateway.http("GET", f"{shop.url}/session/login", headers=[("Host", host)])
    assert answer.status == 400


async def test_a_cookie_that_the_shop_did_not_make_for_this_is_no_session(shop: Pages) -> None:
    (good,) = (await shop.signed_in()).kept.values()
    token = shop.provider.access_token("alice")
    session = Session("alice", token)
    browser = shop.browser()
    await callback_of(shop, browser, "alice")
    (sign_in,) = browser.kept.values()
    plain = OctKey.import_key(SESSION_KEY)
    head, *rest = good.value.split(".")
    made_up = {
        "another key": sealed(["x" * 32], cookie_sessions.PURPOSE, session),
        "another purpose": sealed([SESSION_KEY], "shop sign-in", session),
        "a sign-in": sign_in.value,
        "the secret itself": jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, b"{}", plain),
        "a token": token,
        "cut": good.value[:-5],
        "longer": good.value + "AAAA",
        "changed": ".".join([head, *rest[:-1], rest[-1][::-1]]),
        "no cipher": ".".join([head, "", "", "", ""]),
        "empty": "",
        "noise": "\xff\xfe%00",
        "long": "A" * 9000,
    }
    for name, text in made_up.items():
        answer = await shop.gateway.http(
            "GET", f"{shop.url}/accounts/alice", headers=[("Cookie", f"shop-session={text}")]
        )
        assert answer.status == 401, name
    assert asked(shop) == []
    right = sealed([SESSION_KEY], cookie_sessions.PURPOSE, session)
    headers = [("Cookie", f"shop-session={right}")]
    assert (await shop.gateway.http("GET", f"{shop.url}/accounts/alice", headers=headers)).status == 200


def sealed(keys: list[str], purpose: str, session: Session) -> str:
    return Sealing(Session, keys, purpose=purpose, compressed=True).seal(session)


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


async def test_who_is_denied_by_the_provider_is_not_signed_in(shop: Pages) -> None:
    browser = shop.browser()
    shop.provider.denies = "access_denied"
    await failed(shop, browser, await callback_of(shop, browser, "alice"))


async def test_a_provider_that_names_no_issuer_in_its_redirect_may_leave_it_out(shop: Pages) -> None:
    async with OpenId(names_issuer=False) as provider, pages(provider) as other:
        assert await other.who(await other.signed_in()) == "alice"


async def test_a_service_gets_no_session(shop: Pages) -> None:
    token = ServiceTokens([SERVICE_KEY], "orders", SystemClock()).signed("gateway")
    headers = [("Authorization", f"Bearer {token}")]
    answer = await shop.gateway.http("POST", f"{shop.url}/session", headers=headers)
    assert (answer.status, "Set-Cookie" in answer.headers) == (403, False)


async def test_no_secret_of_a_session_is_logged(shop: Pages, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    browser = shop.browser()
    callback = await callback_of(shop, browser, "alice")
    secrets = {kept.value for kept in browser.kept.values()}
    secrets |= {
        value for pair in parse_qsl(urlsplit(callback).query) for value in pair[1:] if len(value) > 20
    }
    await browser.visit(callback, link_on=shop.provider.issuer)
    secrets |= {kept.value for kept in shop.aged(browser, left_s=50).kept.values()}
    assert await shop.who(browser) == "alice"
    await browser.visit(callback, link_on=shop.provider.issuer)  # fails
    secrets |= {form[name] for form in shop.provider.forms for name in form if name in SECRET_FIELDS}
    secrets |= {kept.value for kept in browser.kept.values()}
    secrets -= {shop.provider.issuer}
    assert len(secrets) > 6
    logged = [record for record in caplog.records if record.name != "aiohttp.access"]  # The provider's own.
    told = "\n".join(f"{record.getMessage()} {vars(record)}" for record in logged)
    assert "a sign-in failed" in told
    assert [secret for secret in secrets if secret in told] == []


SECRET_FIELDS = {"code", "code_verifier", "refresh_token"}


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
