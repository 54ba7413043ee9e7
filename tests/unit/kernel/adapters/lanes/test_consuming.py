"""A message over several lanes is handled in each of them, once."""

import asyncio
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from kernel.adapters.lanes.consuming import ConsumerOfLanes
from kernel.adapters.lanes.lane import LaneFinder
from kernel.application.consume import Consumer
from kernel.application.set_aside import Waiting
from kernel.domain.errors import Unavailable
from kernel.domain.events import MessageId, OrderEvent, Received, Unhandled
from tests.unit.clock import RecordingClock

LANES = 4
FINDER = LaneFinder(LANES)


def order_of(user: str) -> UUID:
    return FINDER.order_id(user, UUID("019b7a5c-2f00-7000-8000-000000000001"))


def decode(body: bytes) -> list[Received[OrderEvent] | Unhandled]:
    """Users separated by spaces, each with an order of theirs, or after a `/` with one of another user; what
    begins with `!` is the subject of an event that is no event."""
    found: list[Received[OrderEvent] | Unhandled] = []
    for word in body.decode().split():
        message = MessageId("/test", word)
        if word.startswith("!"):
            found.append(Unhandled(message, "", word[1:], "invalid_event", "", b""))
        else:
            user, _, owner = word.partition("/")
            fact = OrderEvent(traceparent="", user_id=user, order_id=order_of(owner or user))
            found.append(Received(message, "happened", fact, word.encode()))
    return found


class Lanes:
    def __init__(self) -> None:
        self.handled: list[list[str]] = [[] for _ in range(LANES)]
        self.parked: list[list[str]] = [[] for _ in range(LANES)]
        self.aside: list[list[Waiting]] = [[] for _ in range(LANES)]
        self.lost: set[int] = set()
        self.failing: set[int] = set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.consume = ConsumerOfLanes(
            [self._consumer(lane) for lane in range(LANES)],
            [partial(self._set_aside, lane) for lane in range(LANES)],
            self.lost.__contains__,
        )

    async def _set_aside(self, lane: int, waiting: Sequence[Waiting]) -> None:
        self.aside[lane] += waiting

    def _consumer(self, lane: int) -> Consumer[OrderEvent]:
        async def handle(received: Sequence[Received[OrderEvent]]) -> list[Unhandled]:
            await self.gate.wait()
            self.handled[lane] += [item.fact.user_id for item in received]
            return []

        async def park(item: Unhandled) -> None:
            if lane in self.failing:
                raise Unavailable("away")
            self.parked[lane].append(item.subject)

        return Consumer(decode, handle, park, RecordingClock())


async def test_each_event_is_handled_in_the_lane_of_its_user_in_order() -> None:
    lanes, users = Lanes(), [f"user-{number}" for number in range(40)]
    await lanes.consume(" ".join(users).encode())
    for lane in range(LANES):
        assert lanes.handled[lane] == [user for user in users if FINDER.of_user(user) == lane]
        assert lanes.handled[lane]


async def test_what_cannot_be_read_is_parked_where_its_subject_says_else_in_the_first_lane() -> None:
    lanes = Lanes()
    order = order_of("bob")
    await lanes.consume(f"!{order} !nothing bob".encode())
    assert FINDER.of_user("bob") == 2
    assert lanes.parked == [["nothing"], [], [str(order)], []]
    assert lanes.handled == [[], [], ["bob"], []]


async def test_an_event_whose_order_is_of_another_lane_than_its_user_is_parked_where_the_order_is() -> None:
    lanes, users = Lanes(), [f"user-{number}" for number in range(40)]
    lanes.lost.update((0, 2))
    await lanes.consume(" ".join(users).encode())
    for lane in range(LANES):
        expected = [user for user in users if FINDER.of_user(user) == lane]
        waiting = [one.payload.decode() for one in lanes.aside[1] if one.lane == lane]
        assert (waiting if lane in lanes.lost else lanes.handled[lane]) == expected
    assert not any(lanes.aside[lane] for lane in (0, 2, 3))


async def test_what_is_in_hand_when_its_lane_gets_lost_is_set_aside() -> None:
    lanes = Lanes()
    lanes.gate.clear()
    consuming = asyncio.create_task(lanes.consume(b"bob"))
    await asyncio.sleep(0)
    lanes.lost.add(FINDER.of_user("bob"))
    await asyncio.wait_for(consuming, timeout=10)
    assert lanes.aside[0] == [Waiting(FINDER.of_user("bob"), b"bob")]


async def test_what_cannot_be_read_is_parked_in_a_lane_that_answers() -> None:
    """What the bus said of it, by which it was refused, is not kept with it."""
    lanes = Lanes()
    lanes.lost.add(0)
    await lanes.consume(b"!nothing")
    assert lanes.parked == [[], ["nothing"], [], []]
    assert not any(lanes.aside)


async def test_a_lane_that_gets_lost_while_it_keeps_something_for_another_is_not_waited_for() -> None:
    lanes = Lanes()
    lanes.lost.add(0)
    lanes.failing.add(1)
    consuming = asyncio.create_task(lanes.consume(b"!nothing"))
    await asyncio.sleep(0.01)
    lanes.lost.add(1)
    await asyncio.wait_for(consuming, timeout=10)
    assert lanes.parked == [[], [], ["nothing"], []]


async def test_while_all_lanes_are_lost_a_message_is_kept_in_hand() -> None:
    lanes = Lanes()
    lanes.lost.update(range(LANES))
    consuming = asyncio.create_task(lanes.consume(b"bob"))
    await asyncio.sleep(0.01)
    assert not consuming.done()
    lanes.lost.clear()
    await asyncio.wait_for(consuming, timeout=10)
    assert lanes.handled[FINDER.of_user("bob")] == ["bob"]
