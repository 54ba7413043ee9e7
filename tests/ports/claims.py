"""Rows that any unit of work can write: claims of messages, and counts of parked ones."""

from kernel.domain.events import MessageId, Unhandled
from kernel.ports.unit_of_work import UnitOfWork
from tests.ports.worlds import World

MESSAGE = MessageId("/shop/orders", "1")


async def claim(world: World, uow: UnitOfWork, message: MessageId = MESSAGE) -> bool:
    return await world.inbox(uow).claim_message(message)


async def claimed(world: World, message: MessageId = MESSAGE) -> bool:
    """In a transaction of its own: whether nobody has committed it before."""
    async with world.uow() as uow:
        return await claim(world, uow, message)


async def count(world: World, uow: UnitOfWork, subject: str) -> None:
    """Writes to the one row of the subject, which is locked then until the end of the transaction."""
    await world.parked(uow).add([Unhandled(MESSAGE, "noted", subject, "reason", "detail", b"")])


async def counted(world: World, *subjects: str) -> None:
    """In a transaction of its own, in this order."""
    async with world.uow() as uow:
        for subject in subjects:
            await count(world, uow, subject)


async def counts(world: World) -> dict[str, int]:
    return {row.subject: row.count for row in await world.parked_rows()}
