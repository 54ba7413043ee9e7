"""Planted bugs of money, and of the messages on the way to it."""

import asyncio
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from kernel.application import consume
from kernel.application.consume import Consumer
from kernel.application.envelopes import envelopes
from kernel.application.relay import (
    LEFT_BEHIND_AFTER,
    ROWS_MAX,
    PublishCommitted,
    RelayBuffer,
    RelayEvents,
    RelayResult,
)
from kernel.domain.errors import Unavailable
from kernel.domain.events import MessageId, Received, Unhandled
from kernel.ports.bus import Envelope, Publisher
from payments import wire
from payments.application.charge_orders import ChargeOrders
from payments.domain.events import OrderPlaced
from tests.assembly import Parts
from tests.memory.payments import ACCOUNTS, PAYMENTS, TRANSFERS, MemoryAccounts, MemoryLedger, MemoryPayments
from tests.simulation.bugs import BUGS, Bug, NoInbox
from tests.simulation.bus import NO_QUEUE
from tests.simulation.promises import Promise
from tests.simulation.service import LeavesAllBehind


class LenientPayments(MemoryPayments):
    """Stores a second decision about an order, because the unique key is missing."""

    async def add(self, payments: Sequence[Any]) -> None:
        known = {(p.user_id, p.order_id) for p in self._uow.transaction.committed(PAYMENTS)}
        await super().add([p for p in payments if (p.user_id, p.order_id) not in known])


class ForgetfulPayments(LenientPayments):
    async def recorded(self, orders: Sequence[Any]) -> Sequence[Any]:
        return []


TWICE_PAID = ((TRANSFERS, "order_id"),)
BUGS["no inbox and no decision key"] = Bug(
    breaks=Promise.CAPTURED_ONCE,
    parts=lambda: Parts(inbox=NoInbox, payments=ForgetfulPayments),
    unguarded=TWICE_PAID,
)


class DecisionReadFirst(ChargeOrders):
    async def __call__(self, received: Sequence[Any]) -> list[Unhandled]:
        async with self.uow:
            early = await self.payments.recorded([item.fact for item in received])
        payments, self.payments = self.payments, ReadBefore(early, self.payments)
        unhandled = await super().__call__(received)
        self.payments = payments
        return unhandled


@dataclass
class ReadBefore:
    early: Sequence[Any]
    payments: Any

    async def recorded(self, orders: Sequence[Any]) -> Sequence[Any]:
        return self.early

    async def add(self, payments: Sequence[Any]) -> None:
        await self.payments.add(payments)


BUGS["the decision is read before the lock"] = Bug(
    breaks=Promise.CAPTURED_ONCE,
    parts=lambda: Parts(inbox=NoInbox, payments=LenientPayments, charge_orders=DecisionReadFirst),
    unguarded=TWICE_PAID,
)


def named_by_transport() -> Parts:
    numbers = count()

    def decode(body: bytes) -> list[Any]:
        decoded = wire.decode(body)
        return [replace(item, message=MessageId("amqp", str(next(numbers)))) for item in decoded]

    return Parts(decode_payments_facts=decode, payments=ForgetfulPayments)


BUGS["the transport's id is the identity of an event, and there is no decision key"] = Bug(
    breaks=Promise.CAPTURED_ONCE, parts=named_by_transport, unguarded=TWICE_PAID
)


class RemovedBeforeConfirm(PublishCommitted):
    async def __call__(self, event_type: str, buffer: RelayBuffer) -> RelayResult:
        rows = buffer.take(ROWS_MAX)
        if rows:
            async with self.uow:
                await self.backlog.remove(event_type, [row.id for row in rows])
            await self.publisher.publish(envelopes(rows))
        return RelayResult.of(rows)


BUGS["outbox rows are removed before the confirm"] = Bug(
    breaks=Promise.NOT_FORGOTTEN, parts=lambda: Parts(publish_committed=RemovedBeforeConfirm)
)


class TakenBeforeConfirm(RelayEvents):
    async def __call__(self, event_type: str) -> RelayResult:
        before = self.clock.now() - LEFT_BEHIND_AFTER
        async with self.uow:
            taken = await self.backlog.take(event_type, count_max=ROWS_MAX, before=before)
        if taken:
            await self.publisher.publish(envelopes(taken))
        return RelayResult.of(taken)


BUGS["what was left behind is deleted before the confirm"] = Bug(
    breaks=Promise.NOT_FORGOTTEN,
    parts=lambda: Parts(publish_committed=LeavesAllBehind, relay_events=TakenBeforeConfirm),
)


class NothingLeftBehind(RelayEvents):
    async def __call__(self, event_type: str) -> RelayResult:
        return RelayResult.of([])


BUGS["nobody looks for what was left behind"] = Bug(
    breaks=Promise.RESTS, parts=lambda: Parts(relay_events=NothingLeftBehind)
)


class AnyQueue:
    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        try:
            await self._publisher.publish(envelopes)
        except Unavailable as error:
            if error.detail != NO_QUEUE:
                raise


class AnyQueueWillDo(PublishCommitted):
    async def __call__(self, event_type: str, buffer: RelayBuffer) -> RelayResult:
        self.publisher = AnyQueue(self.publisher)
        return await super().__call__(event_type, buffer)


BUGS["the relay drops what reaches no queue"] = Bug(
    breaks=Promise.NOT_FORGOTTEN, parts=lambda: Parts(publish_committed=AnyQueueWillDo)
)


class AckBeforeCommit(Consumer[Any]):
    async def __call__(self, body: bytes) -> None:
        self.decode(body)
        self._running = asyncio.create_task(super().__call__(body))


BUGS["acknowledged before the commit"] = Bug(
    breaks=Promise.NOT_FORGOTTEN, parts=lambda: Parts(consumer=AckBeforeCommit)
)

BUGS["a server that is away gets events parked"] = Bug(
    breaks=Promise.PARKED_ONCE, constants=((consume, "TEMPORARY", ()),)
)


class UnlockedAccounts(MemoryAccounts):
    async def lock(self, user_ids: Set[str]) -> dict[str, Any]:
        found = (self._uow.transaction.get(ACCOUNTS, user_id) for user_id in sorted(user_ids))
        return {account.user_id: replace(account) for account in found if account}


BUGS["a balance is read, changed and written without the lock"] = Bug(
    breaks=Promise.BALANCE,
    parts=lambda: Parts(accounts=UnlockedAccounts),
    unguarded=((TRANSFERS, "sequence"),),
)


def any_order() -> Parts:
    calls = count()

    class AnyOrderAccounts(MemoryAccounts):
        async def lock(self, user_ids: Set[str]) -> dict[str, Any]:
            locked = []
            for user_id in sorted(user_ids, reverse=next(calls) % 2 == 1):
                locked += await self._uow.transaction.lock(ACCOUNTS, [user_id])
                await asyncio.sleep(0.1)  # of virtual time, in which the other one takes its first
            return {account.user_id: replace(account) for account in locked}

    return Parts(accounts=AnyOrderAccounts)


BUGS["locks are taken in any order"] = Bug(breaks=Promise.NO_DEADLOCK, parts=any_order, users=8)


class KeylessLedger(MemoryLedger):
    async def deposits(self, commands: Sequence[Any]) -> Sequence[Any]:
        return []


BUGS["a deposit forgets its key"] = Bug(
    breaks=Promise.ONCE_A_KEY,
    parts=lambda: Parts(ledger=KeylessLedger),
    unguarded=((TRANSFERS, "idempotency_key"), (TRANSFERS, "id")),
)


def timeless(body: bytes) -> list[Any]:
    decoded = wire.decode(body)
    return [
        replace(item, fact=replace(item.fact, pay_by=None))
        if isinstance(item, Received) and isinstance(item.fact, OrderPlaced)
        else item
        for item in decoded
    ]


BUGS["payments ignores until when an order may be paid"] = Bug(
    breaks=Promise.IN_TIME, parts=lambda: Parts(decode_payments_facts=timeless)
)
