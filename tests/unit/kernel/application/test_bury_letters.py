"""A dead letter is parked once for each death, whatever fails, and stays parked until it is handled."""

import pytest

from kernel.adapters.cloudevents import unhandled_letter
from kernel.application.bury_letters import BuryLetters
from kernel.domain.errors import Contention, OutcomeUnknown, Unavailable
from kernel.domain.events import Unhandled
from kernel.ports.bus import DeadLetter, Unreadable
from tests.memory.parked import DISCARDED
from tests.unit.clock import RecordingClock, id_of
from tests.unit.kernel.application.operated import VIEWER, OperatedService, event, poisoned

GARBAGE = DeadLetter(b"garbage", "shop.t.v1", "unreadable", "noon")


class Killed(BaseException):
    """The end of the process by kill -9."""


async def test_an_unreadable_letter_is_parked_with_its_type_its_reason_and_its_bytes() -> None:
    world = OperatedService()
    await world.bury(GARBAGE)
    (parked,) = world.parked
    one = parked.unhandled
    assert (one.type, one.reason, one.payload, one.dead_letter) == (
        "shop.t.v1",
        "unreadable",
        b"garbage",
        True,
    )
    assert one.detail == "the body is no JSON array or object"


async def test_a_readable_letter_is_parked_with_the_type_of_its_first_event() -> None:
    world = OperatedService()
    await world.bury(DeadLetter(b"[" + event(1) + b"," + event(2) + b"]", "", "delivery_limit", "noon"))
    (parked,) = world.parked
    assert parked.unhandled.type == "shop.payments.payment-declined.v1"
    assert parked.unhandled.detail == f"events: 2, the first about {id_of(1)}"


async def test_a_letter_that_is_delivered_again_counts_once_and_an_equal_one_counts_too() -> None:
    world = OperatedService()
    for _ in range(2):
        await world.bury(GARBAGE)
    assert [parked.count for parked in world.parked] == [1]
    await world.bury(DeadLetter(b"garbage", "shop.t.v1", "unreadable", "a second later"))
    assert [parked.count for parked in world.parked] == [2]
    await world.bury(DeadLetter(b"other garbage", "shop.t.v1", "unreadable", "noon"))
    assert [parked.count for parked in world.parked] == [2, 1]


@pytest.mark.parametrize(
    "error", [Unavailable("away"), Contention("busy"), OutcomeUnknown("lost"), RuntimeError("a bug")]
)
async def test_a_letter_whose_parking_fails_is_tried_again_until_it_is_parked(error: Exception) -> None:
    async def park(unhandled: Unhandled) -> None:
        tried.append(unhandled)
        if len(tried) < 4:
            raise error

    tried: list[Unhandled] = []
    clock = RecordingClock()
    await BuryLetters(unhandled_letter, park, clock)(GARBAGE)
    assert len(tried) == 4
    assert len(clock.slept) == 3


async def test_a_replayed_letter_is_handed_over_whole_and_gone_once_it_is_handled() -> None:
    world = OperatedService(1, 2)
    await world.bury(DeadLetter(b"[" + event(1) + b"," + event(2) + b"]", "", "delivery_limit", "noon"))
    (letter,) = world.parked
    assert await world.replay(letter) == 1
    assert world.parked == [letter]
    assert await world.work() == 0
    assert await world.work_at_letters() == 1
    assert (world.declined, world.parked, world.replayed) == ([1, 2], [], 0)
    assert await world.work_at_letters() == 0


async def test_a_letter_that_is_still_unreadable_or_fails_stays_parked_and_stops_nobody() -> None:
    async def fail_some(body: bytes) -> None:
        handled.append(body)
        if body == b"garbage":
            raise Unreadable("no JSON")
        if body == b"a bug":
            raise RuntimeError("a bug")

    handled: list[bytes] = []
    world = OperatedService()
    for body in (b"garbage", b"a bug", b"good"):
        await world.bury(DeadLetter(body, "shop.t.v1", "unreadable", "noon"))
    assert await world.replay(*world.parked) == 3
    while await world.work_at_letters(fail_some):
        pass
    assert sorted(handled) == [b"a bug", b"garbage", b"good"]
    assert [(one.unhandled.payload, one.count) for one in world.parked] == [(b"garbage", 1), (b"a bug", 1)]
    await world.bury(DeadLetter(b"good", "shop.t.v1", "unreadable", "noon"))
    assert len(world.parked) == 2, "its delivery was counted before it was handled"


async def test_a_letter_that_ends_the_process_does_so_once_for_each_request_and_is_not_lost() -> None:
    async def kill(_: bytes) -> None:
        raise Killed

    world = OperatedService()
    await world.bury(GARBAGE)
    letters = world.parked
    assert await world.replay(*letters) == 1
    with pytest.raises(Killed):
        await world.work_at_letters(kill)
    assert (world.replayed, world.parked) == (0, letters)
    assert await world.work_at_letters(kill) == 0


async def test_a_letter_that_was_discarded_meanwhile_is_not_handed_over() -> None:
    world = OperatedService()
    await world.bury(GARBAGE)
    (letter,) = world.parked
    assert await world.replay(letter) == 1
    assert await world.discard(letter) == 1
    handled: list[bytes] = []

    async def handle(body: bytes) -> None:
        handled.append(body)

    assert await world.work_at_letters(handle) == 1
    assert (handled, world.parked) == ([], [])
    assert [one.parked.unhandled.payload for one in world.database.rows(DISCARDED)] == [b"garbage"]


async def test_events_and_letters_are_groups_of_their_own() -> None:
    world = await poisoned(1)
    await world.bury(GARBAGE)
    places = {group.cause.place for group in await world.read.groups(VIEWER)}
    assert places == {"parked", "dead letters"}
