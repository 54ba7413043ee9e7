from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.driver import DriverConnection, connected
from kernel.adapters.postgres.failures import meaning


class PostgresUnitOfWork:
    """One READ COMMITTED transaction on a connection of its own; adapters run statements on `connection`."""

    connection: DriverConnection

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._lent = AsyncExitStack()
        self._after_commit: list[Callable[[], None]] = []

    def after_commit(self, call: Callable[[], None]) -> None:
        self._after_commit.append(call)

    async def __aenter__(self) -> Self:
        self._after_commit.clear()
        async with AsyncExitStack() as stack:
            with meaning():
                self.connection = await stack.enter_async_context(connected(self._engine))
                await self._begin()
            self._lent = stack.pop_all()
        return self

    async def _begin(self) -> None:
        try:
            await self.connection.driver.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        except BaseException:
            # It may still begin, which the connection does not know yet.
            self.connection.driver.terminate()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with self._lent:
            if error is None:
                with meaning():
                    await self.connection.flush()
                with meaning(committing=True):
                    await self.connection.driver.execute("COMMIT")
            else:
                # What a statement of the block raised is translated on its way out.
                with meaning():
                    raise error
        for call in self._after_commit:
            call()
