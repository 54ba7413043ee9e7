"""A page costs what it holds: each combination of the documented filters finds its rows by an index."""

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import combinations, product
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from orders.adapters.outbound.postgres.placed_orders import PostgresPlacedOrders
from orders.domain.status import Status
from payments.adapters.outbound.postgres_statements import PostgresStatements
from tests.ports.conftest import database
from tests.ports.payments import NOW, account
from tests.ports.plans import Plan, scans_of
from tests.servers.postgres import create_database

DOCUMENTS = Path(__file__).parents[2] / "docs" / "openapi"
STORED = 20_000
LIMIT = 2
# Blocks of 8 KiB: the levels of an index and the rows of a page. A search of 20,000 rows reads hundreds.
BLOCKS_MAX = 15

# All orders are of one user and of one status, but for one order of each other status, and one of another
# user, at the end.
STORE_ORDERS = """
INSERT INTO orders (user_id, id, amount, currency, description, status, created_at, updated_at)
SELECT $1, lpad(to_hex(n), 32, '0')::uuid, 1, 'RUB', '', $2, now(), now()
FROM generate_series($3::int, $4::int) n
"""
STORE_TRANSFERS = """
INSERT INTO transfers (user_id, sequence, id, kind, debit_account, credit_account, amount, balance_after,
    created_at)
SELECT 'many', n, lpad(to_hex(n), 32, '0')::uuid, 'deposit', 'system:funding', 'user:many', 1, n, now()
FROM generate_series(1, $1::int) n
"""


def filters_of(operation_id: str, service: str, values: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Each combination of the query parameters of a list, with each of the values, named as in Python.

    A documented parameter without values fails.
    """
    document = json.loads((DOCUMENTS / f"{service}.json").read_text())
    (operation,) = (
        operation
        for path in document["paths"].values()
        for operation in path.values()
        if operation["operationId"] == operation_id
    )
    names = [given["name"] for given in operation["parameters"] if given["in"] == "query"]
    filters = {_in_python(name): values[name] for name in names if name != "limit"}
    return [
        dict(zip(given, chosen, strict=True))
        for size in range(len(filters) + 1)
        for given in combinations(filters, size)
        for chosen in product(*(filters[name] for name in given))
    ]


def _in_python(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def expect_bounded(plan: Plan, what: object) -> None:
    for scan in scans_of(plan):
        in_vain = scan.get("Rows Removed by Filter", 0) + scan.get("Rows Removed by Index Recheck", 0)
        assert scan["Actual Rows"] + in_vain <= LIMIT, (what, plan)
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= BLOCKS_MAX, (what, plan)


@asynccontextmanager
async def migrated(
    server: str, service: str, name: str = "filtered"
) -> AsyncIterator[tuple[AsyncEngine, asyncpg.Connection]]:
    url = await create_database(server, f"{name}_{service}")
    async with database(url, service) as (engine, connection, _):
        yield engine, connection


async def test_a_list_of_orders_looks_at_no_more_rows_than_its_page_holds(
    postgres_server: str, plans: list[Plan]
) -> None:
    filters = filters_of(
        "listOrders",
        "orders",
        {"userId": ["many", "few"], "status": list(Status), "after": [UUID(int=STORED - 1)]},
    )
    async with migrated(postgres_server, "orders") as (engine, connection):
        for common in (Status.CANCELLED, Status.FINISHED):
            await connection.execute("TRUNCATE orders")
            await connection.execute(STORE_ORDERS, "many", common, 1, STORED)
            for n, status in enumerate(set(Status) - {common}, STORED + 1):
                await connection.execute(STORE_ORDERS, "many", status, n, n)
            await connection.execute(STORE_ORDERS, "few", common, 2 * STORED, 2 * STORED)
            for statistics in ("none", "all"):
                for given in filters:
                    plans.clear()
                    page = {"user_id": None, "status": None, "after": None} | given
                    await PostgresPlacedOrders(engine).page(**page, limit=LIMIT)
                    (plan,) = plans
                    expect_bounded(plan, (common, statistics, given))
                await connection.execute("ANALYZE orders")


async def test_a_statement_looks_at_no_more_transfers_than_its_page_holds(
    postgres_server: str, plans: list[Plan]
) -> None:
    async with migrated(postgres_server, "payments") as (engine, connection):
        await connection.execute(STORE_TRANSFERS, STORED)
        for statistics in ("none", "all"):
            for given in filters_of("listTransactions", "payments", {"after": [2, STORED]}):
                plans.clear()
                await PostgresStatements(engine).page("many", **({"after": None} | given), limit=LIMIT)
                (plan,) = plans
                expect_bounded(plan, (statistics, given))
            await connection.execute("ANALYZE transfers")


async def test_the_balance_of_a_time_is_found_by_reading_few_of_many_transfers(
    postgres_server: str, plans: list[Plan]
) -> None:
    async with migrated(postgres_server, "payments", "searched") as (engine, connection):
        await connection.execute(STORE_TRANSFERS, STORED)
        await connection.execute("ALTER TABLE transfers DISABLE TRIGGER USER")
        await connection.execute(
            "UPDATE transfers SET created_at = $1::timestamptz + sequence * interval '1 s'", NOW
        )
        statements, many = PostgresStatements(engine), account("many", sequence=STORED)
        for statistics in ("none", "all"):
            for number in (0, 1, STORED // 3, STORED):
                plans.clear()
                assert await statements.balance(many, NOW + timedelta(seconds=number)) == number
                (plan,) = plans
                rows = [scan for scan in scans_of(plan) if scan.get("Relation Name") == "transfers"]
                read = sum(scan["Actual Rows"] * scan["Actual Loops"] for scan in rows)
                assert read <= STORED.bit_length(), (statistics, number, plan)
            await connection.execute("ANALYZE transfers")
            await connection.execute("ANALYZE transfers")
