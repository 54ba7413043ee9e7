"""A pooler that would lose what sessions are set to is named at start."""

import re
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from kernel.adapters.postgres.checks.schema import SchemaMismatch
from kernel.adapters.postgres.checks.start import require_fit
from kernel.adapters.postgres.connections.engine import SERVER_SETTINGS
from kernel.domain.errors import Unavailable
from shop.migrating import migrate_databases
from tests.databases import on
from tests.ports.start.databases import ORDERS, Urls
from tests.servers import pooler
from tests.servers.cable import Cable


class DroppingPooler(Cable):
    """Passes on who connects where, and drops all other parameters of the session."""

    async def _next(self, reader, writer, way):  # type: ignore[no-untyped-def]
        chunk = await super()._next(reader, writer, way)
        found = re.fullmatch(rb"(?s).{4}\0\x03\0\0(.*)\0", chunk)
        if found is None:
            return chunk
        words = found[1].split(b"\0")
        kept = [
            part
            for name, value in zip(words[::2], words[1::2], strict=False)
            if name in (b"user", b"database")
            for part in (name, value)
        ]
        body = b"\0\x03\0\0" + b"\0".join(kept) + b"\0\0"
        return (len(body) + 4).to_bytes(4, "big") + body


async def test_a_pooler_that_drops_the_settings_of_a_session_is_named(urls: Urls) -> None:
    async with DroppingPooler(urls["orders"]) as pooled:
        with pytest.raises(SchemaMismatch, match="is 0 instead of 10s: a pooler needs session pooling"):
            await require_fit(f"{pooled.url}?sslmode=disable", ORDERS)


IGNORED = {"ignore_startup_parameters": ",".join(set(SERVER_SETTINGS) - {"application_name", "timezone"})}


@pytest.mark.skipif(pooler.installed() is None, reason="PgBouncer is not installed")
@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"pool_mode": "session"}, "unsupported startup parameter.*session pooling"),
        ({"pool_mode": "session", **IGNORED}, "instead of .*session pooling"),
        ({"pool_mode": "transaction", **IGNORED}, "pools by transaction: session pooling is needed"),
        ({"pool_mode": "transaction", "server_round_robin": "1", **IGNORED}, "session pooling is needed"),
        ({"pool_mode": "transaction", "default_pool_size": "1", **IGNORED}, "session pooling is needed"),
        ({"pool_mode": "statement", **IGNORED}, "transaction blocks not allowed"),
    ],
    ids=["strict", "session", "transaction", "round robin", "pool of one", "statement"],
)
async def test_pgbouncer_is_named_unless_it_pools_by_session(
    settings: dict[str, str], named: str, urls: Urls, scratch: Path
) -> None:
    with pooler.pooler(scratch / f"pooler-{uuid4()}", urls["orders"], **settings) as url:
        for _ in range(2):  # the second start meets what the first one left in the pool
            with pytest.raises((SchemaMismatch, Unavailable), match=named):
                await require_fit(url, ORDERS)


@pytest.mark.skipif(pooler.installed() is None, reason="PgBouncer is not installed")
async def test_pgbouncer_that_pools_by_session_will_do_where_the_role_has_the_settings(
    scrap_url: str, scrap: asyncpg.Connection, scratch: Path
) -> None:
    for name, value in SERVER_SETTINGS.items():
        await scrap.execute(f"ALTER DATABASE start_scrap SET {name} = '{value}'")
    await migrate_databases(on(orders=scrap_url), ("orders",))
    with pooler.pooler(scratch / f"pooler-{uuid4()}", scrap_url, pool_mode="session", **IGNORED) as url:
        await require_fit(url, ORDERS)
