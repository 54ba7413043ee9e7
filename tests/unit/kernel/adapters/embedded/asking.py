import asyncio
from typing import Any

from tests.servers.database import connected


def query(url: str, *statements: str) -> Any:
    """The value of the last statement."""

    async def ask() -> Any:
        async with connected(url) as connection:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])

    return asyncio.run(ask())
