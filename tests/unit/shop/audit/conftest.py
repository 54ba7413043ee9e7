from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from kernel.adapters.embedded.postgres import EmbeddedPostgres
from tests.servers.database import connected
from tests.unit.shop.audit.books import Books, go_shopping, with_database


@pytest.fixture(scope="session")
async def healthy(scratch: Path) -> AsyncIterator[Books]:
    """The books that a real shop made."""
    with EmbeddedPostgres(scratch / "audit", database="orders", options={"fsync": "off"}) as postgres:
        async with connected(with_database(postgres.url, "postgres")) as admin:
            await admin.execute("CREATE DATABASE payments")
            urls = {service: with_database(postgres.url, service) for service in ("orders", "payments")}
            yield Books(admin, urls, await go_shopping(urls))


@pytest.fixture
def books(healthy: Books) -> Books:
    """They may be harmed."""
    return replace(healthy, urls=dict(healthy.urls))
