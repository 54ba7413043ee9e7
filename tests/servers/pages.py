"""A gateway with sign-in, an OpenID provider, and stubs for the services behind the gateway."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from gateway.adapters.inbound.cookie_sessions import PURPOSE
from gateway.adapters.inbound.sealing import Sealing
from gateway.domain.session import BELIEVED_BEYOND_S, Session
from tests.servers.browser import Browser
from tests.servers.openid import CLIENT, OpenId
from tests.unit.gateway.conftest import Gateway, a_gateway
from tests.unit.gateway.stub import Stub

SESSION_KEY, SERVICE_KEY = "s" * 32, "k" * 32
OWN = {"X-Shop-Session": "1"}


@dataclass
class Pages:
    gateway: Gateway
    provider: OpenId

    @property
    def url(self) -> str:
        return self.gateway.url

    @property
    def session(self) -> aiohttp.ClientSession:
        return self.gateway.session

    def browser(self) -> Browser:
        return Browser(self.gateway.session)

    async def signed_in(self, person: str = "alice", **access: object) -> Browser:
        """Returns a new browser in which `person` has signed in. `access` replaces claims of its token."""
        self.provider.person, self.provider.access = person, dict(access)
        browser = self.browser()
        answer = await browser.visit(f"{self.url}/session/login?returnTo=/index.html")
        assert (answer.status, answer.url) == (200, f"{self.url}/index.html"), str(answer)
        return browser

    async def who(self, browser: Browser) -> str | None:
        """The user of the browser's session; None without a session."""
        own = Browser(self.session, browser.kept)  # Its connections end with this gateway's.
        answer = await own.fetch("GET", f"{self.url}/session")
        assert answer.status == 200, str(answer)
        session = answer.json["session"]
        return None if session is None else str(session["userId"])

    def aged(self, browser: Browser, *, left_s: int) -> Browser:
        """Ages the browser's session: its token needs renewal, and is accepted for `left_s` seconds."""
        sealing = Sealing(Session, [SESSION_KEY], purpose=PURPOSE, compressed=True)
        (kept,) = browser.cookies(self.url).values()
        session = sealing.open(kept.value)
        assert session is not None
        ends = int(time.time()) + left_s - BELIEVED_BEYOND_S
        token = self.provider.access_token(session.user_id, exp=ends)
        kept.value = sealing.seal(replace(session, access_token=token, renew_at=0))
        return browser


@asynccontextmanager
async def pages(provider: OpenId, **settings: Any) -> AsyncIterator[Pages]:
    """Runs a gateway. Its services are stubs that answer `{}`, and `provider` may redirect back to it."""
    stubs = Stub(), Stub()
    jwt = {
        "shop_auth": "jwt",
        "shop_rate_limit": "1000000/second",
        "shop_jwt_issuer": provider.issuer,
        "shop_jwt_keys": f"{provider.issuer}/keys",
        "shop_service_key": SERVICE_KEY,
        "shop_session_key": SESSION_KEY,
        "shop_oidc_client_id": CLIENT,
    }
    for stub in stubs:
        await stub.start()
    try:
        async with a_gateway(*stubs, **{**jwt, **settings}) as running:
            provider.redirect_uris.append(f"{running.url}/session/callback")
            yield Pages(running, provider)
    finally:
        for stub in stubs:
            await stub.stop()
