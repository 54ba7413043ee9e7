"""A service whose operators act on what it parked."""

from collections.abc import Sequence
from typing import Any

from kernel.adapters.cloudevents import Decoders, decode_events, encode_event, unhandled_letter
from kernel.adapters.sources import under_its_type
from kernel.application.bury_letters import BuryLetters
from kernel.application.consume import Consumer, ParkMessage
from kernel.application.operate import BeginOperation, HoldCause, OperateParked, ReleaseCause
from kernel.application.read_parked import ReadParked
from kernel.application.replay import HandleLetters, HandleReplayed, encode_replayed
from kernel.application.work_off import WorkOff
from kernel.contracts.values import UserId
from kernel.domain.caller import Caller, Role
from kernel.domain.errors import NotFound
from kernel.domain.events import OrderEvent, Parked, Received, Unhandled
from kernel.domain.parked import Kind, OwnName
from kernel.domain.value import value
from kernel.ports.bus import Handler
from payments.contract.messages import PAYMENT_DECLINED, PaymentDeclinedV1
from tests.memory.database import MemoryDatabase
from tests.memory.inbox import MemoryInbox
from tests.memory.operations import MemoryHeldCauses, MemoryOperations, MemoryParkedReading
from tests.memory.operator_record import MemoryOperatorRecord
from tests.memory.outbox import OUTBOX, MemoryBacklog, MemoryOutbox
from tests.memory.parked import PARKED, MemoryDiscardedMessages, MemoryParkedMessages
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.unit.clock import START, RecordingClock, id_of

ADA = Caller(Role.OPERATOR, "ada", "gateway")
VIEWER = Caller(Role.VIEWER, "vera", "gateway")


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
        self.bury = BuryLetters(unhandled_letter, self._park, self.clock)
        self.read = ReadParked(MemoryParkedReading(self.database), OwnName("orders"))

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

    @property
    def operate(self) -> OperateParked:
        uow, clock = MemoryUnitOfWork(self.database), self.clock
        record, held = MemoryOperatorRecord(uow), MemoryHeldCauses(uow)
        return OperateParked(
            self.read,
            BeginOperation(uow, MemoryOperations(uow), record),
            HoldCause(uow, held, record),
            ReleaseCause(uow, held, record),
            clock,
        )

    async def work_off(self) -> bool:
        """A batch of what operators asked for."""
        uow = MemoryUnitOfWork(self.database)
        return await WorkOff(
            uow,
            MemoryOperations(uow),
            self._parked(uow),
            MemoryDiscardedMessages(uow, self.clock),
            MemoryInbox(uow, self.clock),
            MemoryOutbox[Parked](uow, self.clock, self.encode, lambda _: None),
            self.clock,
        )()

    async def _done(self, kind: Kind, *messages: Parked) -> int:
        begun = []
        for message in messages:
            try:
                begun.append(await self.operate.message(ADA, kind, message.id, "a test"))
            except NotFound:
                continue
        while await self.work_off():
            pass
        return sum([(await self.read.operation(ADA, one.id)).done for one in begun])

    async def replay(self, *messages: Parked) -> int:
        return await self._done(Kind.REPLAY, *messages)

    async def discard(self, *messages: Parked) -> int:
        return await self._done(Kind.DISCARD, *messages)

    async def work(self, handle: Handler | None = None) -> int:
        """Handles what was replayed, as the service does."""
        uow = MemoryUnitOfWork(self.database)
        return (await HandleReplayed(uow, MemoryBacklog(uow))(handle or self.consume)).events

    async def work_at_letters(self, handle: Handler | None = None) -> int:
        uow = MemoryUnitOfWork(self.database)
        handle_letters = HandleLetters(uow, MemoryBacklog(uow), self._parked(uow), self.clock)
        return (await handle_letters(under_its_type(handle or self.consume))).events

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
