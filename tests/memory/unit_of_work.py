from collections.abc import Callable
from typing import Self

from tests.memory.database import MemoryDatabase, Transaction


class MemoryUnitOfWork:
    """One transaction of a MemoryDatabase; adapters work on `transaction`. Ending it never waits."""

    transaction: Transaction

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database
        self._after_commit: list[Callable[[], None]] = []

    def after_commit(self, call: Callable[[], None]) -> None:
        self._after_commit.append(call)

    async def __aenter__(self) -> Self:
        self._after_commit.clear()
        self.transaction = Transaction(self._database)
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self.transaction.rollback()
            return
        self.transaction.commit()
        for call in self._after_commit:
            call()
