"""A real browser: an installed Chromium, or apt-get's, driven by Playwright."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

from tests.servers.broker import install_with_apt

# A folder for the last picture of each window.
PICTURES = "PAGES_PICTURES"
NAMES = ("chromium", "chromium-browser", "google-chrome")


def installed_chromium() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Runs a headless Chromium. Skips the test if none is installed and none can be installed."""
    why = "" if installed_chromium() else install_with_apt("chromium")
    program = installed_chromium()
    if program is None:
        pytest.skip(f"browser tests did not run: there is no Chromium on this machine{why}")
    async with async_playwright() as playwright:
        # Chromium's sandbox needs rights that a container may lack.
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            await browser.close()
