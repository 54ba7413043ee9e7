"""Browser tabs of which only the front one is visible. Playwright's own pages all count as visible."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, CDPSession

ANSWER_WITHIN_S = 15


@dataclass
class Tab:
    """One browser tab, controlled by the Chrome DevTools Protocol."""

    target: str
    _session: str
    _browser: CDPSession
    open_calls: dict[str, str] = field(default_factory=dict)
    """The URLs of the requests whose answer has not ended."""
    _asked: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _numbers: Any = field(default_factory=itertools.count)

    async def send(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._asked[number] = answer = asyncio.get_running_loop().create_future()
        message = json.dumps({"id": number, "method": method, "params": params})
        await self._browser.send(
            "Target.sendMessageToTarget", {"sessionId": self._session, "message": message}
        )
        return await asyncio.wait_for(answer, ANSWER_WITHIN_S)

    async def evaluate(self, expression: str) -> Any:
        return (await self.send("Runtime.evaluate", expression=expression))["result"].get("value")

    async def go(self, url: str) -> None:
        await self.send("Page.navigate", url=url)

    async def to_front(self) -> None:
        await self._browser.send("Target.activateTarget", {"targetId": self.target})

    def open_streams(self) -> list[str]:
        return [url for url in self.open_calls.values() if url.endswith("/events")]

    def hear(self, told: Any) -> None:
        if told["sessionId"] != self._session:
            return
        message = json.loads(told["message"])
        params = message.get("params", {})
        if "id" in message:
            self._asked.pop(message["id"]).set_result(message.get("result"))
        elif message["method"] == "Network.requestWillBeSent":
            self.open_calls[params["requestId"]] = params["request"]["url"]
        elif message["method"] in ("Network.loadingFinished", "Network.loadingFailed"):
            self.open_calls.pop(params["requestId"], None)


@dataclass
class Tabs:
    _browser: CDPSession
    _context: str

    async def open(self, url: str) -> Tab:
        """Opens a new tab in front of the others."""
        wish = {"url": "about:blank", "browserContextId": self._context}
        target = (await self._browser.send("Target.createTarget", wish))["targetId"]
        session = (await self._browser.send("Target.attachToTarget", {"targetId": target}))["sessionId"]
        tab = Tab(target, session, self._browser)
        self._browser.on("Target.receivedMessageFromTarget", tab.hear)
        await tab.send("Network.enable")
        await tab.go(url)
        return tab


@asynccontextmanager
async def tabs(browser: Browser) -> AsyncIterator[Tabs]:
    """Opens a window for tabs, without cookies of other windows."""
    session = await browser.new_browser_cdp_session()
    context = (await session.send("Target.createBrowserContext"))["browserContextId"]
    try:
        yield Tabs(session, context)
    finally:
        await session.send("Target.disposeBrowserContext", {"browserContextId": context})
        await session.detach()
