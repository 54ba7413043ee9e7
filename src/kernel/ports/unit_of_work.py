from typing import Protocol, Self


class UnitOfWork(Protocol):
    """One transaction: `async with uow:` commits when the block ends, and rolls back when it raises.

    A write may be delayed, and so fail, until the next read or the end of the block.

    Raises Unavailable if nothing was done because the database is away, Contention if nothing was done and
    the whole block should run again, OutcomeUnknown if the answer to the commit was lost.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None: ...
