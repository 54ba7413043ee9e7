import asyncio
from typing import Any

import asyncpg


def query(url: str, *statements: str) -> Any:
    """The value of the last statement."""

    async def ask() -> Any:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(ask())
