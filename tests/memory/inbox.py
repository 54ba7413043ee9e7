from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from kernel.domain.events import Event, MessageId, Received
from kernel.ports.clock import Clock
from tests.memory.database import Table
from tests.memory.unit_of_work import MemoryUnitOfWork

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Claimed:
    message: MessageId
    received_at: datetime


INBOX = Table[Claimed]({"message": lambda claimed: (claimed.message.source, claimed.message.id)})


class MemoryInbox:
    def __init__(self, uow: MemoryUnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def claim(self, received: Sequence[Received[E]]) -> Sequence[Received[E]]:
        firsts = {item.message: item for item in reversed(received)}
        in_key_order = sorted(firsts, key=lambda message: (message.source, message.id))
        again = any(item.again for item in received)
        fresh = {message for message in in_key_order if not (again and self._is_known(message))}
        for message in in_key_order:
            if message in fresh:
                await self._uow.transaction.insert(INBOX, Claimed(message, self._clock.now()))
        in_order = dict.fromkeys(item.message for item in received)
        return [firsts[message] for message in in_order if message in fresh]

    def _is_known(self, message: MessageId) -> bool:
        return self._uow.transaction.get(INBOX, (message.source, message.id)) is not None

    async def claim_message(self, message: MessageId) -> bool:
        return await self._uow.transaction.try_insert(INBOX, Claimed(message, self._clock.now()))

    async def forget(self, messages: Sequence[MessageId]) -> None:
        for key in sorted({(message.source, message.id) for message in messages}):
            await self._uow.transaction.delete(INBOX, key)

    async def prune(self, *, before: datetime, count_max: int) -> int:
        transaction = self._uow.transaction
        old = [claimed for claimed in transaction.unlocked(INBOX) if claimed.received_at < before]
        old.sort(key=lambda claimed: claimed.received_at)
        for claimed in old[:count_max]:
            await transaction.delete(INBOX, (claimed.message.source, claimed.message.id))
        return len(old[:count_max])
