"""What a process loads: a library that only a setting needs costs nobody else memory and time."""

import subprocess
import sys

import pytest

SERVICES = "import shop.serving, gateway.main, orders.main, payments.main"
IN_MEMORY = """
import asyncio
from kernel.wiring.rate_limits import open_rate_limits

async def opened():
    async with open_rate_limits(RATED, "orders") as limits:
        assert limits

class RATED:
    rate_limit, shop_rate_limit_url = "5/second", None

asyncio.run(opened())
"""


@pytest.mark.parametrize(
    ("program", "needless"),
    [
        (SERVICES, {"alembic", "cryptography", "joserfc", "limits", "opentelemetry.sdk", "redis"}),
        (IN_MEMORY, {"redis"}),
    ],
    ids=["services before they know a setting", "rate limits that nobody shares"],
)
def test_libraries_that_only_some_settings_need_are_not_loaded(program: str, needless: set[str]) -> None:
    shown = f"{program}\nimport sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True).stdout
    assert not needless & set(loaded.split())
