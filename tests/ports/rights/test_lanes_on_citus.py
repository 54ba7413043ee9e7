"""`shop migrate` where Citus is: lanes are distributed schemas, by statements that Citus takes."""

import logging
from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.ports.rights.conftest import Roles, two_roles
from tests.ports.start.databases import SCHEMAS
from tests.servers.database import connected
from tests.servers.like_citus import stand_in_for_citus

LANES = {"SHOP_LANES": "2"}
_DISTRIBUTED = "SELECT array_agg(schemaid::regnamespace::text ORDER BY 1) FROM pg_dist_schema"


async def distributed(roles: Roles) -> list[str] | None:
    return await roles.superuser.fetchval(_DISTRIBUTED)


@pytest.fixture(scope="module", params=SCHEMAS)
async def roles(postgres_server: str, request: pytest.FixtureRequest) -> AsyncIterator[Roles]:
    async with two_roles(postgres_server, request.param, f"{request.param}_on_citus") as roles:
        await stand_in_for_citus(roles.superuser)
        await roles.migrate(**LANES)
        yield roles


async def test_each_lane_is_a_distributed_schema_with_every_table(roles: Roles) -> None:
    assert await distributed(roles) == ["lane_000", "lane_001"]
    for lane in ("lane_000", "lane_001"):
        rows = await roles.superuser.fetch("SELECT tablename FROM pg_tables WHERE schemaname = $1", lane)
        assert {table.name for table in SCHEMAS[roles.service].tables} <= {row["tablename"] for row in rows}


async def test_what_is_append_only_is_so_by_the_rights_alone(roles: Roles) -> None:
    assert await roles.superuser.fetchval("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") == 0
    async with connected(roles.url) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM lane_001.operator_record")


async def test_migrating_again_finds_nothing_to_do(roles: Roles, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await roles.migrate(**LANES)
    assert caplog.messages == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE outbox ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE",
        "ALTER TABLE outbox ADD COLUMN token bigint CHECK (token > 0)",
        "ALTER TABLE outbox ADD UNIQUE (id)",
        "ALTER TABLE outbox ALTER COLUMN event SET STORAGE EXTERNAL",
        "ALTER TABLE outbox\n    ENABLE ROW LEVEL SECURITY",
        "CREATE TRIGGER late AFTER INSERT ON outbox EXECUTE FUNCTION"
        " pg_catalog.suppress_redundant_updates_trigger()",
    ],
)
async def test_what_citus_refuses_would_be_seen(roles: Roles, statement: str) -> None:
    async with connected(roles.owner_url) as connection:
        await connection.execute("SET search_path = lane_001")
        with pytest.raises(asyncpg.FeatureNotSupportedError):
            await connection.execute(statement)


async def test_of_lanes_that_were_made_without_it_only_the_empty_ones_are_distributed(
    postgres_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A migrator was killed after it made the schemas, or Citus came later."""
    async with two_roles(postgres_server, "orders", "citus_came_later") as roles:
        await roles.migrate(**LANES)
        await stand_in_for_citus(roles.superuser)
        await roles.superuser.execute(
            f"DROP SCHEMA lane_001 CASCADE; CREATE SCHEMA lane_001 AUTHORIZATION {roles.owner};"
            "COMMENT ON SCHEMA lane_001 IS 'lane 1 of 2'"
        )
        with caplog.at_level(logging.WARNING):
            await roles.migrate(**LANES)
        assert await distributed(roles) == ["lane_001"]
        assert [message[:67] for message in caplog.messages] == [
            "lane_000 of the orders database is not distributed, because it has "
        ]
