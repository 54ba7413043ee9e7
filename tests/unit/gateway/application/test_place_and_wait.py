"""PlaceAndWait: the order is placed once, and told as it is when the wait ends, whatever ends it."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from gateway.application.hub import Hub
from gateway.application.place_and_wait import PlaceAndWait
from gateway.application.place_orders import PlaceOrders
from gateway.domain.orders import Change, Outcome, Placed, PlacementRequest, Rejected, Waited
from kernel.adapters.in_process.bus import InProcessBroker, InProcessNotifications
from kernel.adapters.system_clock import SystemClock
from kernel.domain.caller import ANYONE
from tests.catalog import CATALOG
from tests.unit.clock import id_of

ORDER = PlacementRequest(caller=ANYONE, user_id="alice", body=b"{}", own_key=True)
PLACED = Placed(id_of(1), "alice", "NEW", b"new", replayed=False)
FINISHED = Change(id_of(1), "alice", 2, "FINISHED", b"finished")


class DecidingOrders:
    """An orders service that answers `fate`, and tells of the change `decides` once the order is placed."""

    def __init__(self, *, waits_max: int = 10) -> None:
        self.fate: Outcome = PLACED
        self.decides: Change | None = None
        self.placed: list[PlacementRequest] = []
        clock = SystemClock()
        notifications = InProcessNotifications(InProcessBroker(CATALOG))
        self.hub = Hub(self, notifications, clock, waits_max=waits_max)  # type: ignore[arg-type]
        self.place_and_wait = PlaceAndWait(PlaceOrders(self.place, clock), self.hub)

    async def place(self, orders: Sequence[PlacementRequest]) -> Sequence[Outcome]:
        self.placed += orders
        return [self.fate] * len(orders)

    async def changes(self, order_ids: Sequence[UUID]) -> Sequence[Sequence[Change]]:
        return [[PLACED.first_change, *([self.decides] if self.decides else [])] for _ in order_ids]


async def stays() -> None:
    await asyncio.Event().wait()


async def leaves() -> None:
    pass


async def test_the_order_is_told_as_it_was_decided() -> None:
    world = DecidingOrders()
    world.decides = FINISHED
    waited = await world.place_and_wait(ORDER, within_s=30, left=stays)
    assert waited == Waited(Placed(id_of(1), "alice", "FINISHED", b"finished", replayed=False))
    assert world.placed == [ORDER]


async def test_an_order_that_is_not_decided_in_time_is_told_as_it_was_placed() -> None:
    assert await DecidingOrders().place_and_wait(ORDER, within_s=0.01, left=stays) == Waited(PLACED)


async def test_nobody_waits_for_a_client_that_has_left() -> None:
    async with asyncio.timeout(5):
        assert await DecidingOrders().place_and_wait(ORDER, within_s=30, left=leaves) == Waited(PLACED)


@pytest.mark.parametrize("status", ["FINISHED", "CANCELLED"])
async def test_a_replayed_order_that_is_decided_already_is_not_waited_for(status: str) -> None:
    world = DecidingOrders(waits_max=0)
    world.fate = Placed(id_of(1), "alice", status, b"decided", replayed=True)
    assert await world.place_and_wait(ORDER, within_s=30, left=stays) == Waited(world.fate)


async def test_an_order_that_was_not_placed_is_not_waited_for() -> None:
    world = DecidingOrders()
    world.fate = Rejected(402, b"{}")
    assert await world.place_and_wait(ORDER, within_s=30, left=stays) == world.fate


async def test_an_order_is_placed_also_where_too_many_wait_already() -> None:
    world = DecidingOrders(waits_max=0)
    assert await world.place_and_wait(ORDER, within_s=30, left=stays) == PLACED
    assert world.placed == [ORDER]
