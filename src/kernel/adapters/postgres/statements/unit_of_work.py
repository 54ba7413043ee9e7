from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Self

from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.connections.failures import translate_errors
from kernel.adapters.postgres.statements.driver import connected
from kernel.adapters.postgres.statements.transaction import Transaction


class PostgresUnitOfWork:
    """One READ COMMITTED transaction on one connection. Adapters run their statements in `transaction`."""

    transaction: Transaction

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._lent = AsyncExitStack()
        self._after_commit: list[Callable[[], None]] = []

    def after_commit(self, call: Callable[[], None]) -> None:
        self._after_commit.append(call)

    async def __aenter__(self) -> Self:
        self._after_commit.clear()
        with translate_errors():
            self.transaction = Transaction(await self._lent.enter_async_context(connected(self._engine)))
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        async with self._lent:
            if error is None:
                with translate_errors():
                    await self.transaction.prepare()
                with translate_errors(committing=True):
                    await self.transaction.commit()
            else:
                # Translates a driver error that a statement in the `async with` block raised.
                with translate_errors():
                    raise error
        for call in self._after_commit:
            call()
