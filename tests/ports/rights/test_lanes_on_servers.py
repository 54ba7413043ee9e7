"""Lanes on several servers: made by the owner of each, and served as far as the servers answer."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from kernel.adapters.postgres.checks.schema import SchemaMismatch, revision
from kernel.adapters.postgres.connections.pool import pool_of
from kernel.adapters.postgres.statements.driver import connected
from kernel.adapters.postgres.statements.reading import read
from kernel.adapters.postgres.tables import INBOX
from kernel.domain.errors import Unavailable
from kernel.lane_servers import LaneServer, lane_servers
from kernel.settings import SettingsError
from kernel.wiring.database import CONSOLE, databases
from orders.adapters.outbound.tables import SCHEMA
from shop.migrating import migrate_databases
from shop.services import load_shop
from tests.ports.rights.conftest import Roles, two_roles
from tests.servers.cable import Cable, Way
from tests.servers.process import eventually


@dataclass(frozen=True)
class Two:
    first: Roles
    second: Roles

    def settings(self, second_url: str) -> dict[str, str]:
        return {
            "SHOP_LANES": "2",
            "ORDERS_LANE_URLS": f"0={self.first.url};1={second_url}",
            "ORDERS_MIGRATION_URL": f"1={self.second.owner_url};0={self.first.owner_url}",
        }

    def servers(self, second_url: str) -> list[LaneServer]:
        return lane_servers(load_shop(self.settings(second_url)).settings["orders"])


@pytest.fixture(scope="module")
async def two(postgres_server: str) -> AsyncIterator[Two]:
    async with (
        two_roles(postgres_server, "orders", "first_lane") as first,
        two_roles(postgres_server, "orders", "second_lane") as second,
    ):
        two = Two(first, second)
        await migrate_databases(load_shop(two.settings(second.url)), ("orders",))
        yield two


async def test_the_owner_of_each_server_makes_its_lanes(two: Two) -> None:
    for roles, lane, other in ((two.first, 0, 1), (two.second, 1, 0)):
        owner = await roles.superuser.fetchval(
            f"SELECT tableowner FROM pg_tables WHERE schemaname = 'lane_00{lane}' AND tablename = 'orders'"
        )
        assert owner == roles.owner
        assert await roles.superuser.fetchval(f"SELECT to_regclass('lane_00{other}.orders')") is None


@pytest.mark.parametrize(
    "owners", ["postgresql://o@a/orders", "0-1=postgresql://o@a/orders", "0=postgresql://o@a/orders"]
)
def test_owners_of_other_lanes_are_refused(two: Two, owners: str) -> None:
    settings = two.settings(two.second.url) | {"ORDERS_MIGRATION_URL": owners}
    line = "^ORDERS_MIGRATION_URL must name the same lanes for each server as ORDERS_LANE_URLS$"
    with pytest.raises(SettingsError, match=line):
        load_shop(settings)


async def test_owners_of_each_others_servers_are_told_by_their_setting(two: Two) -> None:
    swapped = f"0={two.second.owner_url};1={two.first.owner_url}"
    settings = two.settings(two.second.url) | {"ORDERS_MIGRATION_URL": swapped}
    with pytest.raises(
        SchemaMismatch, match=r"holds the lane 1, and ORDERS_MIGRATION_URL gives it the lane 0$"
    ):
        await migrate_databases(load_shop(settings), ("orders",))


async def test_lanes_that_would_be_made_beside_others_are_named_before(
    two: Two, postgres_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    await migrate_databases(load_shop(two.settings(two.second.url)), ("orders",))
    assert caplog.messages == []
    async with two_roles(postgres_server, "orders", "empty_lane") as empty:
        await migrate_databases(load_shop(Two(two.first, empty).settings(empty.url)), ("orders",))
    assert re.fullmatch(
        "the orders database .*empty_lane.* has none of its lane 1 yet, other servers have theirs",
        caplog.messages[0],
    )


async def test_a_database_that_the_urls_of_lanes_replace_is_told(
    two: Two, caplog: pytest.LogCaptureFixture
) -> None:
    settings = two.settings(two.second.url) | {"ORDERS_DATABASE_URL": two.first.url}
    await migrate_databases(load_shop(settings), ("orders",))
    assert caplog.messages == ["ORDERS_LANE_URLS is set, so ORDERS_DATABASE_URL is not used"]


async def test_a_command_that_needs_all_servers_names_the_one_that_is_away(
    two: Two, caplog: pytest.LogCaptureFixture
) -> None:
    async with Cable(two.second.url) as cable:
        await cable.cut()
        with pytest.raises(
            Unavailable, match=f"^the orders database .* at {cable.address}: Connection refused"
        ):
            async with databases(two.servers(cable.url), SCHEMA, CONSOLE):
                pass
    assert caplog.messages == []


async def test_a_server_that_is_away_at_start_is_checked_and_served_once_it_is_back(two: Two) -> None:
    async with Cable(two.second.url) as cable:
        await cable.cut()
        async with databases(two.servers(cable.url), SCHEMA) as (first, second):
            assert await revision(first) == SCHEMA.revision
            with pytest.raises(Unavailable):
                await read(second, select(INBOX))
            assert pool_of(second).is_lost
            assert not pool_of(first).is_lost
            await cable.mend()
            await eventually(lambda: not pool_of(second).is_lost)
            assert await revision(second) == SCHEMA.revision


async def test_a_server_that_comes_back_with_other_lanes_ends_the_service(two: Two) -> None:
    async with Cable(two.first.url) as cable:
        await cable.cut()
        with pytest.RaisesGroup(pytest.RaisesExc(SchemaMismatch, match=r"holds the lane 0, .* the lane 1$")):
            async with databases(two.servers(cable.url), SCHEMA) as (_, second):
                await cable.mend()
                with pytest.raises(Unavailable):
                    await read(second, select(INBOX))
                async with asyncio.timeout(10):
                    await asyncio.Event().wait()


async def test_where_no_server_answers_nothing_starts(two: Two) -> None:
    servers = [
        LaneServer("postgresql://x@127.0.0.1:1/none", server.lanes) for server in two.servers(two.second.url)
    ]
    with pytest.raises(Unavailable):
        async with databases(servers, SCHEMA):
            pass


async def test_a_lost_server_refuses_at_once_and_is_found_when_it_is_back(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.adapters.postgres.connections.pool.LOST_AFTER_S", 0.2)
    async with Cable(two.second.url) as cable, databases(two.servers(cable.url), SCHEMA) as (_, second):

        async def answers() -> bool:
            try:
                return bool(await revision(second))
            except Unavailable:
                return False

        assert await answers()
        await cable.cut()

        async def is_lost() -> bool:
            return not await answers() and pool_of(second).is_lost

        await eventually(is_lost)
        await cable.mend()
        await eventually(answers)
        assert not pool_of(second).is_lost


async def test_a_server_that_does_not_answer_a_statement_is_lost_by_then(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.adapters.postgres.connections.engine.COMMAND_TIMEOUT_S", 0.5)
    async with Cable(two.second.url) as cable, databases(two.servers(cable.url), SCHEMA) as (first, second):
        assert await revision(second) == await revision(first) == SCHEMA.revision
        async with cable.half_open(Way.BACK):
            with pytest.raises(Unavailable):
                await revision(second)
            assert pool_of(second).is_lost
            assert not pool_of(first).is_lost


async def test_only_an_answer_shows_that_a_server_is_back(two: Two) -> None:
    async with databases(two.servers(two.second.url), SCHEMA) as (_, second):
        await revision(second)
        pool_of(second).away_since = since = 1.0
        async with connected(second):
            pass
        assert pool_of(second).away_since == since
        await revision(second)
        assert pool_of(second).away_since is None
