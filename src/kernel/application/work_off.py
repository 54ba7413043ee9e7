from collections.abc import Sequence
from dataclasses import dataclass, replace

from kernel.domain.events import Parked
from kernel.domain.parked import Kind, Operation
from kernel.ports.clock import Clock
from kernel.ports.inbox import Inbox
from kernel.ports.outbox import Outbox
from kernel.ports.parked import DiscardedMessages, Operations, ParkedMessages
from kernel.ports.unit_of_work import UnitOfWork

BATCH_MAX = 200


@dataclass
class WorkOff:
    """Works off the operations of operators in batches. One transaction stores a batch and its progress. So
    each message is treated once, whichever processes take part, and a crash loses nothing.

    Parking claimed the message in the inbox. A replay deletes this claim, or the inbox would take the message
    for a repeat. A discarded message stays claimed, so that it is ignored if it is delivered again.
    """

    uow: UnitOfWork
    operations: Operations
    parked: ParkedMessages
    discarded: DiscardedMessages
    inbox: Inbox
    outbox: Outbox[Parked]
    clock: Clock

    async def __call__(self) -> bool:
        """Returns whether there may be more to do."""
        async with self.uow:
            operation = await self.operations.next()
            if operation is None:
                return False
            batch = await self.operations.batch(operation, count_max=BATCH_MAX)
            # A message that was parked again meanwhile is newer than the operation.
            locked = await self.parked.lock(sorted(batch))
            wanted = [parked for parked in locked if parked.count == batch[parked.id]]
            act = self._replay if operation.kind is Kind.REPLAY else self._discard
            await act(operation, wanted)
            passed = operation.passed + len(batch)
            over = passed >= operation.total or not batch
            await self.operations.save(
                replace(
                    operation,
                    passed=passed,
                    done=operation.done + len(wanted),
                    ended_at=self.clock.now() if over else None,
                )
            )
        return True

    async def _replay(self, _: Operation, wanted: Sequence[Parked]) -> None:
        letters = [parked for parked in wanted if parked.unhandled.dead_letter]
        events = [parked for parked in wanted if not parked.unhandled.dead_letter]
        await self.parked.take([parked.id for parked in events])
        await self.inbox.forget([parked.unhandled.message for parked in events])
        await self.outbox.add([*events, *letters])

    async def _discard(self, operation: Operation, wanted: Sequence[Parked]) -> None:
        await self.parked.take([parked.id for parked in wanted])
        await self.discarded.add(wanted, by=operation.operator, note=operation.note)
