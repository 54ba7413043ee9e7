from typing import Protocol, Self


class UnitOfWork(Protocol):
    """One transaction: `async with uow:` commits when the block ends, and rolls back when it raises.

    What is written may wait, and fail, until something is read or the block ends.

    Raises Unavailable when nothing was done because the store is away, Contention when nothing was done and
    the whole block should run again, OutcomeUnknown when the answer to the commit was lost.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None: ...
