"""Pages of other sites, stolen parts of a sign-in and made-up cookies get nobody in, nor in as another."""

import logging
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey

from gateway.adapters.inbound import cookie_sessions
from gateway.domain.session import Session
from kernel.adapters.http.middleware.cors import cors_config
from kernel.adapters.identity.services import ServiceTokens
from kernel.adapters.system_clock import SystemClock
from tests.servers.browser import Browser
from tests.servers.pages import OWN, SERVICE_KEY, SESSION_KEY, Pages
from tests.spec.scenario import Answer
from tests.spec.sessions.steps import callback_of, sealed

EVIL = "http://evil.example/page"
ORDER = "/orders/01980000-0000-7000-8000-000000000001"


def asked(shop: Pages) -> list[str]:
    """The calls that reached the services."""
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


async def test_fixation_two_cookies_of_the_name_are_not_believed(shop: Pages) -> None:
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


async def test_login_csrf_another_sites_page_exchanges_no_token(shop: Pages) -> None:
    victim, token = shop.browser(), shop.provider.access_token("mallory")
    headers = {"Authorization": f"Bearer {token}"}
    answer = await victim.fetch("POST", f"{shop.url}/session", page=EVIL, headers=headers)
    assert (answer.status, victim.kept) == (403, {})


ELSEWHERE = [
    "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
    "evil", "/\n/evil.example", "///evil.example", "", " /index.html", "javascript:alert(1)", "/a\\b", "/é",
    "/a b", "/a\x7f", "http:/evil.example", "/" + "a" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("address", ELSEWHERE)
async def test_open_redirect_the_return_address_is_a_path_of_ours(shop: Pages, address: str) -> None:
    url = f"{shop.url}/session/login?returnTo={quote(address, safe='')}"
    answer = await shop.browser().fetch("GET", url)
    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "returnTo")
    assert "Location" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example/x", "a b", "shop.example:99999x", "user@evil.example", ""])
async def test_open_redirect_the_provider_is_given_no_malformed_address(shop: Pages, host: str) -> None:
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
