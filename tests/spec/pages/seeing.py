"""What people see and do in a window, in the words of the specs."""

import re
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Locator, Page, expect

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
HTML = "<img src=x onerror=alert(1)><b>bold</b>"


def status(page: Page, text: str) -> Locator:
    return page.get_by_role("status").filter(has_text=exactly(text))


def tag(page: Page, text: str) -> Locator:
    return page.locator("main .tag").filter(has_text=exactly(text))


def exactly(text: str) -> re.Pattern[str]:
    """A pattern for this text alone: "Being paid" is not "Paid", though Playwright finds this text in it."""
    return re.compile(re.escape(text))


async def is_paid(page: Page) -> None:
    await expect(status(page, "Paid")).to_be_visible()


async def is_new(page: Page) -> None:
    await expect(status(page, "Being paid")).to_be_visible()


def to_buy(page: Page) -> Locator:
    return page.get_by_role("button", name="Buy: A cup of coffee")


async def open_view(page: Page, address: str) -> None:
    """Goes there without loading the page anew, and waits until the view has what it reads first."""
    await page.evaluate(
        """(hash) => {
            if (location.hash === hash) return;
            document.querySelector("main")?.setAttribute("data-left", "");
            location.hash = hash;
        }""",
        f"#/{address}",
    )
    await expect(page.locator("main:not([data-left]):not([inert]) h1")).to_be_visible()


async def does(page: Page | Locator, what: str, go: str, **fields: str) -> None:
    """Opens what an operator may do, fills its fields, which are named by their names, and does it."""
    act = page.locator(f'details.act:has(> summary:text-is("{what}"))')
    await act.locator("summary").click()
    for name, text in fields.items():
        await act.locator(f"[name={name}]").fill(text)
    await act.get_by_role("button", name=go).click()


async def shows_as_text(page: Page, text: str = HTML) -> None:
    await expect(page.locator("main").get_by_text(text).first).to_be_visible()
    assert await page.locator("main img, main b:text-is('bold')").count() == 0


async def violations(page: Page) -> list[Any]:
    """The violations that axe finds, each with the elements that it blames."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    found = await page.evaluate("(rules) => axe.run({ runOnly: rules, resultTypes: ['violations'] })", WCAG)
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]]
