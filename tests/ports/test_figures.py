"""What operators watch in the tables of a service."""

from datetime import timedelta

from kernel.domain.events import Unhandled
from kernel.domain.overview import WaitingEvents
from kernel.domain.parked import Cause, Hold
from tests.memory.clock import EPOCH
from tests.ports.test_outbox import add, noted
from tests.ports.test_parked import park
from tests.ports.worlds import World


async def test_events_in_the_outbox_are_counted_by_type_since_the_oldest(world: World) -> None:
    assert await world.figures().waiting() == []
    began = world.clock.now()
    await add(world, noted(b"1", "b"))
    world.clock.advance(2)
    await add(world, noted(b"2", "b"), noted(b"3", "b"), noted(b"4", "a"))
    later = began + timedelta(seconds=2)
    assert await world.figures().waiting() == [WaitingEvents("a", 1, later), WaitingEvents("b", 3, began)]


async def test_parked_messages_are_counted_by_reason_and_those_of_a_held_cause_apart(world: World) -> None:
    assert await world.figures().parked() == ({}, {})
    for number, reason in enumerate(["unknown", "unknown", "refused"]):
        await park(world, Unhandled(None, "a", f"order {number}", reason, "", b"{}"))
    assert await world.figures().parked() == ({"unknown": 2, "refused": 1}, {})
    hold = Hold(owner="ada", note="", ticket="", held_by="ada", held_at=EPOCH)
    async with world.uow() as uow:
        await world.held(uow).hold({Cause(dead_letter=False, type="a", reason="unknown"): hold})
    assert await world.figures().parked() == ({"refused": 1}, {"unknown": 2})
