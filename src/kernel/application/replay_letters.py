"""Dead letters go back to their consumer where an operator asks for it, and never past it.

The operator's command and the service meet in the outbox, which needs no right at the broker: nobody has to
publish into a queue.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from uuid import UUID

from kernel.application.relay import ROWS_MAX, RelayResult
from kernel.ports.bus import Bus, Handler
from kernel.ports.outbox import Backlog, Outbox
from kernel.ports.unit_of_work import UnitOfWork

# In the outbox, the type of a request to replay; no event has a type without a dot.
LETTERS = "dead_letters"


def encode_letter(letter: UUID, _: UUID, at: datetime) -> tuple[str, bytes]:
    return LETTERS, str(letter).encode()


class AskForLetters:
    def __init__(self, uow: UnitOfWork, outbox: Outbox[UUID]) -> None:
        self.uow = uow
        self.outbox = outbox

    async def __call__(self, ids: Sequence[UUID]) -> None:
        """The service is to hand these dead letters to its consumer."""
        async with self.uow:
            await self.outbox.add(ids)


class HandleLetters:
    """Hands dead letters to the consumer, each where an operator asked for it.

    The request is gone before the first letter is handed over, and a letter stays in its queue until it is
    handled. So one that ends the process does so once for each request, and is never lost.
    """

    def __init__(self, uow: UnitOfWork, backlog: Backlog, bus: Bus) -> None:
        self.uow = uow
        self.backlog = backlog
        self.bus = bus

    async def __call__(self, handle: Handler) -> RelayResult:
        """The requests that were taken. They stay where the letters cannot be looked at."""
        async with AsyncExitStack() as visit:
            async with self.uow:
                taken = await self.backlog.take(LETTERS, count_max=ROWS_MAX)
                letters = await visit.enter_async_context(self.bus.dead_letters()) if taken else None
            if letters is not None:
                ids = {UUID(one) for row in taken for one in row.events.decode().split(",")}
                await letters.hand_over(ids, handle)
        return RelayResult.of(taken)
