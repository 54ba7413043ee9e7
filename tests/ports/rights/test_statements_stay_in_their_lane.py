"""Every statement is about one lane: a role that has rights on the schema of one lane alone can run it.

So a lane can be on any node of Citus, which refuses many statements that touch two of them.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import asyncpg
import pytest
from sqlalchemy import SelectBase, TextClause, UpdateBase, select

import kernel.adapters.postgres
import orders.adapters.outbound
import payments.adapters.outbound
from kernel.adapters.postgres.statements.driver import _compiled
from kernel.adapters.postgres.tables import INBOX
from tests.ports.rights.conftest import two_roles
from tests.ports.rights.trying import OUTSIDE
from tests.ports.start.databases import SCHEMAS
from tests.servers.database import connected

OF_SERVICES = {"orders": orders.adapters.outbound, "payments": payments.adapters.outbound}
Statement = SelectBase | UpdateBase | TextClause


def statements_of(package: Any) -> Iterator[Statement]:
    for module in walk_packages(package.__path__, f"{package.__name__}."):
        yield from (
            one
            for one in vars(import_module(module.name)).values()
            if isinstance(one, SelectBase | UpdateBase | TextClause)
        )


async def touches_only_its_lane(connection: asyncpg.Connection, statement: Any, schema: str | None) -> bool:
    """Asks for the plan of a statement, for which the server checks the rights as for a run."""
    try:
        await connection.execute(f"EXPLAIN (GENERIC_PLAN) {_compiled(statement, schema)[0]}")
    except OUTSIDE:
        return False
    return True


@pytest.mark.parametrize("service", SCHEMAS)
async def test_each_statement_of_the_code_touches_the_schema_of_its_lane_alone(
    service: str, postgres_server: str
) -> None:
    statements = [*statements_of(kernel.adapters.postgres), *statements_of(OF_SERVICES[service])]
    assert len(statements) > 30
    async with two_roles(postgres_server, service, f"{service}_of_one_lane") as roles:
        await roles.migrate(SHOP_LANES="4")
        for lane in (0, 1, 3):
            await roles.superuser.execute(f'REVOKE ALL ON SCHEMA lane_{lane:03} FROM "{roles.role}"')
        async with connected(roles.url) as connection:
            outside = [
                str(statement)
                for statement in statements
                if not await touches_only_its_lane(connection, statement, "lane_002")
            ]
            assert outside == []
            for elsewhere in ("lane_001", None):
                assert not await touches_only_its_lane(connection, select(INBOX), elsewhere)
