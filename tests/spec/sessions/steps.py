"""Steps of a sign-in, and sessions that are made by hand."""

from typing import Any

from gateway.adapters.inbound.sealing import Sealing
from gateway.domain.session import Session
from tests.servers.browser import Browser
from tests.servers.pages import Pages


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


def sealed(keys: list[str], purpose: str, session: Session) -> str:
    return Sealing(Session, keys, purpose=purpose, compressed=True).seal(session)


async def begun(shop: Pages, browser: Browser, token: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return await browser.fetch("POST", f"{shop.url}/session", headers=headers)
