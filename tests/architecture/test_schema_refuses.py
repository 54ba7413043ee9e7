"""The migrated databases refuse rows and changes that break a rule."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.servers.database import connected

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)

ORDER = {
    "user_id": "alice",
    "id": uuid4(),
    "amount": 1000,
    "currency": "RUB",
    "description": "",
    "status": "NEW",
    "idempotency_key": "k",
    "created_at": NOW,
    "updated_at": NOW,
}
CHANGE = {"user_id": "alice", "order_id": uuid4(), "sequence": 1, "status": "NEW", "at": NOW}
ACCOUNT = {
    "user_id": "alice",
    "id": uuid4(),
    "balance": 0,
    "sequence": 0,
    "currency": "RUB",
    "created_at": NOW,
}
TRANSFER = {
    "user_id": "alice",
    "sequence": 1,
    "id": uuid4(),
    "kind": "capture",
    "debit_account": "user:alice",
    "credit_account": "system:revenue",
    "amount": 1000,
    "order_id": uuid4(),
    "idempotency_key": "k",
    "balance_after": 0,
    "created_at": NOW,
}
PAYMENT = {"user_id": "alice", "order_id": uuid4(), "decision": "captured", "created_at": NOW}
DISCARDED = {
    "id": uuid4(),
    "type": "t",
    "subject": "s",
    "reason": "r",
    "detail": "",
    "payload": b"",
    "count": 1,
    "first_parked_at": NOW,
    "last_parked_at": NOW,
    "discarded_at": NOW,
    "discarded_by": "ada",
    "note": "",
}
ACT = {"user_id": "alice", "subject": uuid4(), "did": "deposit", "operator": "ada", "through": "", "at": NOW}


class Database:
    """A connection in a transaction that is rolled back at the end."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def insert(self, table: str, row: dict[str, Any], **changes: Any) -> None:
        row = row | changes
        places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
        async with self.connection.transaction():
            await self.connection.execute(
                f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values()
            )


@pytest.fixture
async def database(
    service: str, postgres_server: str, engines: dict[str, AsyncEngine]
) -> AsyncIterator[Database]:
    async with connected(f"{postgres_server.rpartition('/')[0]}/schema_of_{service}") as connection:
        transaction = connection.transaction()
        await transaction.start()
        yield Database(connection)
        await transaction.rollback()


@pytest.mark.parametrize(
    ("service", "table", "row", "column"),
    [
        ("orders", "order_history", CHANGE, "sequence"),
        ("payments", "transfers", TRANSFER, "amount"),
        ("payments", "payments", PAYMENT, "reason"),
        ("orders", "discarded_messages", DISCARDED, "note"),
        ("payments", "discarded_messages", DISCARDED, "note"),
        ("orders", "operator_record", ACT, "through"),
        ("payments", "operator_record", ACT, "through"),
    ],
)
async def test_an_append_only_table_refuses_every_change(
    database: Database, table: str, row: dict[str, Any], column: str
) -> None:
    await database.insert(table, row)
    for statement in (
        f"UPDATE {table} SET {column} = DEFAULT",
        f"UPDATE {table} SET {column} = {column}",
        f"DELETE FROM {table}",
        f"DELETE FROM {table} WHERE false",
    ):
        with pytest.raises(asyncpg.RaiseError, match=f"{table} is append-only"):
            async with database.connection.transaction():
                await database.connection.execute(statement)
    assert await database.connection.fetchval(f"SELECT count(*) FROM {table}") == 1


@pytest.mark.parametrize(
    ("service", "table", "row", "changes"),
    [
        ("orders", "orders", ORDER, {"amount": 0}),
        ("orders", "orders", ORDER, {"amount": -1}),
        ("payments", "accounts", ACCOUNT, {"balance": -1}),
    ],
)
async def test_a_row_with_a_forbidden_value_is_refused(
    database: Database, table: str, row: dict[str, Any], changes: dict[str, Any]
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await database.insert(table, row, **changes)
    await database.insert(table, row)


@pytest.mark.parametrize(
    ("service", "table", "row", "twin"),
    [
        ("payments", "accounts", ACCOUNT, {"id": uuid4()}),
        ("orders", "operator_record", ACT, {"operator": "grace"}),
        ("payments", "operator_record", ACT, {"operator": "grace"}),
    ],
)
async def test_a_second_row_with_the_same_unique_key_is_refused(
    database: Database, table: str, row: dict[str, Any], twin: dict[str, Any]
) -> None:
    await database.insert(table, row)
    with pytest.raises(asyncpg.UniqueViolationError):
        await database.insert(table, row, **twin)
    await database.insert(table, row, **twin, user_id="bob")
