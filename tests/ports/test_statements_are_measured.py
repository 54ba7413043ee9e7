"""Each statement that PostgreSQL answers is told to whoever measures, with its first word."""

import asyncpg
from sqlalchemy import text

from kernel.adapters.postgres.connections.pool import pool_of
from tests.ports.orders import add, order
from tests.ports.postgres_world import PostgresWorld
from tests.ports.worlds import failing


async def test_statements_are_told_by_their_first_word_and_what_they_raised(postgres: PostgresWorld) -> None:
    told: list[tuple[str, str]] = []
    pool_of(postgres.engine).measure = lambda operation, _, error: told.append((operation, error))
    async with postgres.uow() as uow:
        await uow.transaction.execute(text("SELECT 1"))
    assert told == [("BEGIN", ""), ("SELECT", ""), ("COMMIT", "")]

    told.clear()
    await add(postgres, order(1))  # A statement outside of a transaction commits by itself.
    assert told == [("INSERT", "")]

    told.clear()
    async with failing(asyncpg.DivisionByZeroError, postgres.uow()) as uow:
        await uow.transaction.execute(text("SELECT 1 / 0"))
    assert told == [("BEGIN", ""), ("SELECT", "DivisionByZeroError")]
