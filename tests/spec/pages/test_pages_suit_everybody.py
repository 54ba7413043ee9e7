"""The pages in both languages, light and dark, on a phone, and by WCAG 2.2 AA."""

from typing import Literal

import pytest
from playwright.async_api import expect

from tests.servers.shop import Embedded
from tests.spec.pages.conftest import Customer, Windows
from tests.spec.pages.seeing import open_view, to_buy, violations

PHONE, DESKTOP = 360, 1200


@pytest.mark.parametrize(
    ("colours", "width", "language"), [("light", PHONE, "ru-RU"), ("dark", DESKTOP, "en-US")]
)
async def test_every_view_holds_the_rules_for_everybody(
    embedded: Embedded,
    windows: Windows,
    customer: Customer,
    colours: Literal["light", "dark"],
    width: int,
    language: str,
) -> None:
    page = await windows(
        embedded.gateway, user=customer.user, colours=colours, width=width, language=language
    )
    for address in customer.addresses():
        await open_view(page, address)
        assert await page.evaluate("scrollY") == 0, address
        assert await violations(page) == [], address
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, address


async def test_a_rule_that_is_broken_is_seen(embedded: Embedded, windows: Windows) -> None:
    page = await windows(embedded.gateway)
    await open_view(page, "")
    await page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    assert [name for name, _ in await violations(page)] == ["label"]


async def test_the_browsers_wish_chooses_the_language_and_the_switch_another(
    embedded: Embedded, windows: Windows, customer: Customer
) -> None:
    page = await windows(embedded.gateway, user=customer.user, language="ru-RU")
    await expect(page.get_by_role("button", name="Купить: ").first).to_be_visible()
    assert await page.evaluate("document.documentElement.lang") == "ru"
    await page.get_by_role("button", name="English").click()
    await expect(to_buy(page)).to_be_visible()
    await page.reload()
    await expect(to_buy(page)).to_be_visible()


async def test_colours_follow_the_systems_wish(
    embedded: Embedded, windows: Windows, customer: Customer
) -> None:
    page = await windows(embedded.gateway, user=customer.user)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(ground)
    await page.emulate_media(color_scheme="dark")
    assert await page.evaluate(ground) != light


async def test_nothing_moves_for_those_who_wish_so(embedded: Embedded, windows: Windows) -> None:
    page = await windows(embedded.gateway)
    await page.emulate_media(reduced_motion="reduce")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert await page.evaluate("document.getAnimations().length") == 0
    moving = "[...document.querySelectorAll('*')].map((one) => getComputedStyle(one).transitionDuration)"
    assert set(await page.evaluate(moving)) <= {"0s"}
