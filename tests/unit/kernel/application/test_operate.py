"""Parked messages go back to their consumer exactly once, or leave a record; whoever else is at it."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from kernel.adapters.cloudevents import Decoders, decode_events, encode_event
from kernel.application.consume import Consumer, ParkMessage
from kernel.application.operate import DiscardParked, HandleReplayed, ReplayParked, encode_replayed
from kernel.contracts.values import UserId
from kernel.domain.errors import NotFound, OutcomeUnknown, Unavailable
from kernel.domain.events import Parked, Received, Unhandled
from kernel.domain.value import value
from kernel.ports.bus import Handler
from orders.domain.events import OrderEvent
from payments.contract.messages import PAYMENT_DECLINED, PaymentDeclinedV1
from tests.memory.database import MemoryDatabase
from tests.memory.inbox import MemoryInbox
from tests.memory.outbox import OUTBOX, MemoryBacklog, MemoryOutbox
from tests.memory.parked import DISCARDED, PARKED, MemoryDiscardedMessages, MemoryParkedMessages
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.unit.clock import START, RecordingClock, id_of


@value(kw_only=True)
class Declined(OrderEvent):
    pass


def declined(data: Any, traceparent: str) -> Declined:
    return Declined(order_id=data.order_id, user_id=data.user_id, traceparent=traceparent)


def event(number: int) -> bytes:
    order = OrderEvent(order_id=id_of(number), user_id="ada", traceparent="")
    data = PaymentDeclinedV1(order.order_id, UserId("ada"), "insufficient_funds")
    return encode_event(
        order, id_of(100 + number), START, source="/shop/payments", type=PAYMENT_DECLINED, data=data
    )


class OperatedService:
    """A service whose orders may be missing; what was declined is counted by order, behind the inbox."""

    def __init__(self, *orders: int) -> None:
        self.database = MemoryDatabase()
        self.clock = RecordingClock()
        self.orders = set(orders)
        self.declined: list[int] = []
        self.encode = encode_replayed
        self.consume = Consumer(self._decode, self._handle, self._park, self.clock)

    def _decode(self, body: bytes) -> Sequence[Received[Declined] | Unhandled]:
        facts: Decoders[Declined] = {PAYMENT_DECLINED: (PaymentDeclinedV1, declined)}
        return decode_events(body, facts)

    async def _handle(self, received: Sequence[Received[Declined]]) -> Sequence[Unhandled]:
        async with (uow := MemoryUnitOfWork(self.database)):
            fresh = await MemoryInbox(uow, self.clock).claim(received)
            numbers = [item.fact.order_id.int & 0xFFFF for item in fresh]
            for number in numbers:
                if number not in self.orders:
                    raise NotFound("order_not_found", f"there is no order {number}")
        self.declined += numbers
        return []

    async def _park(self, unhandled: Unhandled) -> None:
        uow = MemoryUnitOfWork(self.database)
        await ParkMessage(uow, MemoryInbox(uow, self.clock), self._parked(uow))(unhandled)

    def _parked(self, uow: MemoryUnitOfWork) -> MemoryParkedMessages:
        return MemoryParkedMessages(uow, self.clock)

    async def replay(self, *messages: Parked) -> int:
        uow = MemoryUnitOfWork(self.database)
        outbox = MemoryOutbox[Parked](uow, self.clock, self.encode, lambda _: None)
        act = ReplayParked(uow, self._parked(uow), MemoryInbox(uow, self.clock), outbox)
        return await act([message.id for message in messages])

    async def discard(self, *messages: Parked) -> int:
        uow = MemoryUnitOfWork(self.database)
        act = DiscardParked(uow, self._parked(uow), MemoryDiscardedMessages(uow, self.clock))
        return await act([message.id for message in messages], by="ada", note="a test")

    async def work(self, handle: Handler | None = None) -> int:
        """What the service does about what was replayed."""
        uow = MemoryUnitOfWork(self.database)
        return (await HandleReplayed(uow, MemoryBacklog(uow))(handle or self.consume)).events

    @property
    def parked(self) -> list[Parked]:
        return self.database.rows(PARKED)

    @property
    def replayed(self) -> int:
        return sum(row.count for row in self.database.rows(OUTBOX))


async def poisoned(*numbers: int) -> OperatedService:
    """Each of these events was parked, for want of its order."""
    world = OperatedService()
    for number in numbers:
        await world.consume(event(number))
    assert (len(world.parked), world.declined) == (len(numbers), [])
    return world


async def test_a_replayed_message_does_its_work_once_its_cause_is_healed() -> None:
    world = await poisoned(1, 2)
    world.orders = {1, 2}
    assert await world.replay(*world.parked) == 2
    assert world.parked == []
    assert await world.work() == 2
    assert (world.declined, world.replayed) == ([1, 2], 0)
    assert await world.work() == 0


async def test_only_those_that_are_named_are_replayed() -> None:
    world = await poisoned(1, 2)
    world.orders = {1, 2}
    await world.replay(world.parked[1])
    await world.work()
    assert world.declined == [2]
    assert [parked.unhandled.subject for parked in world.parked] == [str(id_of(1))]


async def test_two_operators_who_replay_the_same_at_once_replay_it_once() -> None:
    world = await poisoned(1, 2)
    world.orders = {1, 2}
    counts = await asyncio.gather(*(world.replay(*world.parked) for _ in range(3)))
    assert sorted(counts) == [0, 0, 2]
    await world.work()
    assert world.declined == [1, 2]


async def test_two_replicas_that_work_at_once_and_a_redelivery_do_it_once() -> None:
    world = await poisoned(1)
    world.orders = {1}
    await world.replay(*world.parked)
    await asyncio.gather(world.work(), world.work(), world.consume(event(1)))
    assert (world.declined, world.parked, world.replayed) == ([1], [], 0)


@pytest.mark.parametrize("error", [Unavailable("away"), OutcomeUnknown("lost"), RuntimeError("died")])
async def test_a_replay_that_fails_after_its_work_is_repeated_and_works_once(error: Exception) -> None:
    async def die_after(body: bytes) -> None:
        await world.consume(body)
        raise error

    world = await poisoned(1)
    world.orders = {1}
    await world.replay(*world.parked)
    with pytest.raises(type(error)):
        await world.work(die_after)
    assert (world.declined, world.replayed) == ([1], 1)
    assert await world.work() == 1
    assert (world.declined, world.parked, world.replayed) == ([1], [], 0)


async def test_what_is_still_poisonous_is_parked_again_under_another_id_beside_what_works() -> None:
    world = await poisoned(1, 2)
    first = world.parked[0]
    world.orders = {2}
    await world.replay(*world.parked)
    await world.work()
    (again,) = world.parked
    assert (again.unhandled, again.count) == (first.unhandled, 1)
    assert world.declined == [2]
    assert await world.replay(first) == 0
    world.orders = {1, 2}
    assert await world.replay(again) == 1
    await world.work()
    assert (world.declined, world.parked) == ([2, 1], [])


async def test_what_is_no_event_is_parked_again_and_stops_nobody() -> None:
    world = await poisoned(1)
    world.orders = {1}
    await world.consume(b'[7, {"id": ""}]')
    await world.replay(*world.parked)
    assert await world.work() == 3
    assert world.declined == [1]
    assert [json.loads(parked.unhandled.payload) for parked in world.parked] == [7, {"id": ""}]


async def test_a_replay_that_is_rolled_back_leaves_everything_as_it_was() -> None:
    def fail(*_: object) -> tuple[str, bytes]:
        raise Unavailable("away")

    world = await poisoned(1)
    (parked,) = world.parked
    world.encode = fail
    with pytest.raises(Unavailable):
        await world.replay(parked)
    world.orders = {1}
    await world.consume(event(1))
    assert (world.parked, world.declined, world.replayed) == ([parked], [], 0)


async def test_a_discarded_message_leaves_a_record_and_stays_away() -> None:
    world = await poisoned(1, 2)
    kept, thrown = world.parked
    world.orders = {1, 2}
    assert await world.discard(thrown) == 1
    assert await world.discard(thrown) == 0
    assert await world.replay(thrown) == 0
    await world.consume(event(2))
    assert (world.parked, world.declined) == ([kept], [])
    (record,) = world.database.rows(DISCARDED)
    assert (record.parked, record.by, record.note, record.at) == (thrown, "ada", "a test", world.clock.now())


async def test_of_a_replay_and_a_discarding_at_once_one_wins() -> None:
    world = await poisoned(1)
    world.orders = {1}
    counts = await asyncio.gather(world.replay(*world.parked), world.discard(*world.parked))
    await world.work()
    assert sorted(counts) == [0, 1]
    assert len(world.declined) + len(world.database.rows(DISCARDED)) == 1
