from typing import Protocol, Self


class UnitOfWork(Protocol):
    """A transaction. `async with uow:` commits when the block ends, and rolls back when the block raises.

    A write may be delayed until the next read or the end of the block, and so fail only then.

    Raises Unavailable if nothing was done because the database is away, Contention if nothing was done and
    the whole block should run again, and OutcomeUnknown if the answer to the commit was lost.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None: ...
