"""The consumer: each event once, and one poisonous event stops nobody else."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest

from kernel.application.consume import Consumer, ParkMessage
from kernel.domain.errors import Contention, NotFound, OutcomeUnknown, Unavailable
from kernel.domain.events import Event, MessageId, Parked, Received, Unhandled
from kernel.domain.value import value
from kernel.ports.bus import Unreadable
from tests.memory.database import MemoryDatabase
from tests.memory.inbox import INBOX, MemoryInbox
from tests.memory.parked import PARKED, MemoryParkedMessages
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.unit.clock import RecordingClock, id_of

TYPE = "shop.tests.happened.v1"
SOURCE = "/shop/tests"

Facts = Sequence[int]


@value(kw_only=True)
class Happened(Event):
    number: int

    @property
    def subject(self) -> UUID:
        return id_of(self.number)


def decode(body: bytes) -> list[Received[Happened] | Unhandled]:
    """Numbers separated by spaces; `x` is no event, `#` makes the whole message unreadable."""
    if body == b"#":
        raise Unreadable("no message")
    return [_decoded(word) for word in body.split()]


def _decoded(word: bytes) -> Received[Happened] | Unhandled:
    message = MessageId(SOURCE, word.decode())
    if word.startswith(b"x"):
        return Unhandled(message, "", word.decode(), "invalid_event", "an x", word)
    number = int(word)
    return Received(message, TYPE, Happened(traceparent="", number=number), word)


class ConsumingService:
    """Facts are handled as a use case would do it: in a transaction, behind the inbox."""

    def __init__(self, react: Callable[[Facts], None] = lambda _: None) -> None:
        self.database = MemoryDatabase()
        self.clock = RecordingClock()
        self.attempts: list[list[int]] = []
        self.handled: list[int] = []
        self.to_park: list[Unhandled] = []
        self.park_fails: list[Exception] = []
        self.ghosts: set[int] = set()
        self.consume = Consumer(decode, self._handle, self._park, self.clock, "order")
        self._react = react

    async def _handle(self, received: Sequence[Received[Happened]]) -> Sequence[Unhandled]:
        uow = MemoryUnitOfWork(self.database)
        async with uow:
            fresh = await MemoryInbox(uow, self.clock).claim(received)
            facts = [item.fact.number for item in fresh]
            self.attempts.append(facts)
            self._react(facts)
        self.handled += facts
        return [item.unhandled("ghost", "there is none") for item in fresh if item.fact.number in self.ghosts]

    async def _park(self, unhandled: Unhandled) -> None:
        self.to_park.append(unhandled)
        if self.park_fails:
            raise self.park_fails.pop(0)
        uow = MemoryUnitOfWork(self.database)
        await ParkMessage(uow, MemoryInbox(uow, self.clock), MemoryParkedMessages(uow, self.clock))(unhandled)

    @property
    def parked(self) -> list[Parked]:
        return self.database.rows(PARKED)

    @property
    def claimed(self) -> set[str]:
        return {row.message.id for row in self.database.rows(INBOX)}


def poisoned_by(culprit: int, error: Exception) -> Callable[[Facts], None]:
    def react(facts: Facts) -> None:
        if culprit in facts:
            raise error

    return react


def failing(*errors: Exception) -> Callable[[Facts], None]:
    waiting = list(errors)

    def react(_: Facts) -> None:
        if waiting:
            raise waiting.pop(0)

    return react


async def test_the_events_of_a_message_are_handled_in_one_transaction_and_in_order() -> None:
    world = ConsumingService()
    await world.consume(b"3 1 2")
    assert world.attempts == [[3, 1, 2]]
    assert world.parked == []


async def test_a_message_that_comes_again_changes_nothing() -> None:
    world = ConsumingService()
    await world.consume(b"1 2")
    await world.consume(b"2 1 3 3")
    assert world.handled == [1, 2, 3]


async def test_messages_that_arrive_together_share_a_transaction() -> None:
    world = ConsumingService()
    await asyncio.gather(*(world.consume(body) for body in (b"1", b"2", b"3 4")))
    assert world.attempts == [[1, 2, 3, 4]]


async def test_a_poisonous_event_is_parked_with_its_reason_and_its_neighbours_are_handled() -> None:
    world = ConsumingService(poisoned_by(3, NotFound("order_not_found", "there is no order 3")))
    await world.consume(b"1 2 3 4 5")
    assert sorted(world.handled) == [1, 2, 4, 5]
    (parked,) = world.parked
    assert parked.unhandled == Unhandled(
        MessageId(SOURCE, "3"), TYPE, str(id_of(3)), "order_not_found", "there is no order 3", b"3"
    )
    assert world.claimed == {"1", "2", "3", "4", "5"}


async def test_a_message_that_the_use_case_parked_itself_is_logged_and_not_handled_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = ConsumingService()
    world.ghosts = {1, 3}
    await world.consume(b"1 2 3 4")
    assert world.attempts == [[1, 2, 3, 4]]
    assert world.to_park == []
    records = [(record.getMessage(), vars(record)["order_id"]) for record in caplog.records]
    assert records == [("parked: ghost", str(id_of(number))) for number in (1, 3)]


async def test_the_reason_of_a_bug_is_internal_and_its_detail_names_it() -> None:
    world = ConsumingService(poisoned_by(1, ValueError("division")))
    await world.consume(b"1")
    (parked,) = world.parked
    assert (parked.unhandled.reason, parked.unhandled.detail) == ("internal_error", "ValueError: division")


async def test_the_culprit_of_one_message_does_not_touch_another_message() -> None:
    world = ConsumingService(poisoned_by(2, ValueError("poison")))
    await asyncio.gather(*(world.consume(body) for body in (b"1", b"2", b"3")))
    assert sorted(world.handled) == [1, 3]
    assert [parked.unhandled.payload for parked in world.parked] == [b"2"]


async def test_a_parked_message_that_comes_again_is_neither_handled_nor_counted_again() -> None:
    world = ConsumingService(poisoned_by(1, ValueError("poison")))
    await world.consume(b"1")
    await world.consume(b"1")
    assert world.handled == []
    assert [parked.count for parked in world.parked] == [1]


async def test_an_event_that_could_not_be_read_is_parked_once_after_the_others_were_handled() -> None:
    world = ConsumingService()
    await world.consume(b"x 1")
    await world.consume(b"x 2")
    assert world.handled == [1, 2]
    (parked,) = world.parked
    assert (parked.unhandled.reason, parked.unhandled.payload, parked.count) == ("invalid_event", b"x", 1)


async def test_an_empty_message_is_done_at_once() -> None:
    world = ConsumingService()
    await world.consume(b"")
    assert world.attempts == []
    assert world.parked == []


async def test_an_unreadable_message_is_the_bus_s_to_set_aside() -> None:
    world = ConsumingService()
    with pytest.raises(Unreadable):
        await world.consume(b"#")
    assert world.claimed == set()


@pytest.mark.parametrize("error", [Unavailable("away"), OutcomeUnknown("cut"), Contention("lost")])
async def test_while_the_database_is_away_the_message_waits_in_place_and_nobody_is_parked(
    error: Exception,
) -> None:
    world = ConsumingService(failing(*[error] * 40))
    await world.consume(b"1 2")
    assert sorted(world.handled) == [1, 2]
    assert world.to_park == []
    assert max(world.clock.slept) <= 2.0


async def test_only_what_was_not_handled_yet_is_tried_again() -> None:
    errors = [ValueError("poison") for _ in range(2)] + [Unavailable("away")] * 2
    world = ConsumingService(failing(*errors))
    await world.consume(b"1 2 3 4")
    # The whole, then the first half, fail as if poisoned; then 1 finds nobody home twice, and is the last.
    assert world.attempts == [[1, 2, 3, 4], [1, 2], [1], [1], [2], [3, 4], [1]]
    assert world.handled == [2, 3, 4, 1]


async def test_parking_waits_for_the_database_too() -> None:
    world = ConsumingService(poisoned_by(1, ValueError("poison")))
    world.park_fails = [Unavailable("away"), Contention("lost"), OutcomeUnknown("cut")]
    await world.consume(b"1")
    assert [parked.unhandled.payload for parked in world.parked] == [b"1"]
    assert len(world.clock.slept) == 3
