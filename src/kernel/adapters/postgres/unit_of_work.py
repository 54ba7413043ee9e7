from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from kernel.adapters.postgres.failures import meaning


class PostgresUnitOfWork:
    """One READ COMMITTED transaction on a connection of its own; adapters run statements on `connection`."""

    connection: AsyncConnection

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._after_commit: list[Callable[[], None]] = []

    def after_commit(self, call: Callable[[], None]) -> None:
        self._after_commit.append(call)

    async def __aenter__(self) -> Self:
        self._after_commit.clear()
        with meaning():
            self.connection = await self._engine.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                with meaning(committing=True):
                    await self.connection.commit()
            else:
                # What a statement of the block raised is translated on its way out.
                with meaning():
                    raise error
        finally:
            await self._give_back()
        for call in self._after_commit:
            call()

    async def _give_back(self) -> None:
        """What a lost connection says to its rollback must not hide what ended the transaction. The pool has
        thrown it away by then."""
        with suppress(DBAPIError, OSError, TimeoutError):
            await self.connection.close()
