"""Imitates a browser: its cookie rules (RFC 6265bis), and the headers that tell which page sent a call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from tests.spec.scenario import Answer

REDIRECTS_MAX = 10


@dataclass
class Kept:
    value: str
    path: str
    same_site: str
    attributes: Mapping[str, str]


@dataclass
class Browser:
    """A browser with its own cookies. Two browsers share nothing."""

    session: aiohttp.ClientSession
    kept: dict[tuple[str, str], Kept] = field(default_factory=dict)
    """The cookies, by host without port, and by name."""
    trail: list[str] = field(default_factory=list)
    """The URLs of the last visit, including redirects."""
    sent: list[set[str]] = field(default_factory=list)
    """The names of the cookies that were sent to each URL of `trail`."""

    async def fetch(
        self,
        method: str,
        url: str,
        page: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        """Sends a request as a script on the page `page` does. Without `page`, the page has the same host."""
        site = _relation(page or url, url)
        return await self._call(method, url, site=site, navigates=False, headers=headers or {}, body=body)

    async def visit(self, url: str, link_on: str | None = None, method: str = "GET") -> Answer:
        """Opens a URL, as if typed in, or from a link or form on the page `link_on`. Follows redirects.

        After a redirect to another site, all further requests count as cross-site.
        """
        self.trail, self.sent = [], []
        site = "none" if link_on is None else _relation(link_on, url)
        for _ in range(REDIRECTS_MAX):
            answer = await self._call(method, url, site=site, navigates=True, headers={})
            if "Location" not in answer.headers or answer.status not in (301, 302, 303, 307, 308):
                return answer
            target = urljoin(url, answer.headers["Location"])
            site = "cross-site" if "cross-site" in (site, _relation(url, target)) else site
            url, method = target, "GET"
        raise AssertionError(f"redirected in circles: {self.trail}")

    def cookies(self, url: str) -> dict[str, Kept]:
        return {name: kept for (host, name), kept in self.kept.items() if host == urlsplit(url).hostname}

    async def _call(
        self,
        method: str,
        url: str,
        *,
        site: str,
        navigates: bool,
        headers: Mapping[str, str],
        body: Any = None,
    ) -> Answer:
        going = {
            name: kept
            for name, kept in self.cookies(url).items()
            if _goes(kept, urlsplit(url).path, site, method, navigates=navigates)
        }
        own = {"Sec-Fetch-Site": site}
        if going:
            own["Cookie"] = "; ".join(f"{name}={kept.value}" for name, kept in going.items())
        self.trail.append(url)
        self.sent.append(set(going))
        async with self.session.request(
            method, URL(url, encoded=True), headers={**own, **headers}, json=body, allow_redirects=False
        ) as answer:
            text = await answer.read()
            for line in answer.headers.getall("Set-Cookie", []):
                self._keep(url, line)
            return Answer(url, answer.status, answer.headers, text)

    def _keep(self, url: str, line: str) -> None:
        host = urlsplit(url).hostname or ""
        for name, morsel in SimpleCookie(line).items():
            if morsel["max-age"] == "0":
                self.kept.pop((host, name), None)
            else:
                attributes = {key: str(text) for key, text in morsel.items() if text}
                self.kept[host, name] = Kept(morsel.value, morsel["path"], morsel["samesite"], attributes)


def _goes(kept: Kept, path: str, site: str, method: str, *, navigates: bool) -> bool:
    """Whether the browser sends this cookie with such a request."""
    if path != kept.path and not path.startswith(kept.path.rstrip("/") + "/"):
        return False
    if site != "cross-site":
        return True
    return kept.same_site == "None" or (kept.same_site == "Lax" and navigates and method == "GET")


def _relation(page: str, url: str) -> str:
    ours, theirs = urlsplit(page), urlsplit(url)
    if ours.hostname != theirs.hostname:
        return "cross-site"
    return "same-origin" if ours.port == theirs.port else "same-site"
