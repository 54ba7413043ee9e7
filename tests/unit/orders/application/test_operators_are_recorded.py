"""What operators do to orders is recorded once, with its effect, and what users do is not."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from kernel.domain.acts import Act
from kernel.domain.caller import Caller, Role
from orders.domain.commands import CancelOrder, Placement
from tests.builders import TRACE
from tests.memory.operator_record import OPERATOR_RECORD
from tests.unit.clock import id_of
from tests.unit.orders.world import OrdersWorld, order

ADA = Caller(Role.OPERATOR, "ada", "gateway")


def by_ada(number: int, key: str | None = None) -> Placement:
    return replace(order(number, key=key), caller=ADA)


def cancelling(number: int, caller: Caller) -> CancelOrder:
    return CancelOrder(order_id=id_of(number), caller=caller, user_id="alice", traceparent=TRACE)


def recorded(world: OrdersWorld) -> list[tuple[str, str, str, str, int]]:
    """Each act: the operator, the service, the deed, the user, and the number of the order."""
    numbers = {id_of(number): number for number in range(10)}
    return [
        (act.operator, act.through, act.did, act.user_id, numbers[act.subject])
        for act in world.database.rows(OPERATOR_RECORD)
    ]


async def test_a_cancellation_is_recorded_once_and_one_that_is_refused_is_not() -> None:
    world = OrdersWorld()
    await world.place(order(1), order(2))
    own = Caller(Role.USER, "alice")
    commands = [cancelling(9, ADA), cancelling(1, ADA), cancelling(2, own), cancelling(2, ADA)]
    for _ in range(2):
        await world.service.cancel_orders(commands)
    assert recorded(world) == [("ada", "gateway", "cancel_order", "alice", 1)]


class Broken:
    async def add(self, acts: Sequence[Act]) -> None:
        raise RuntimeError


async def test_an_act_that_cannot_be_recorded_is_not_done() -> None:
    world = OrdersWorld()
    await world.place(order(1))
    world.published()
    world.service.record = lambda uow: Broken()  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await world.place(by_ada(2))
    with pytest.raises(RuntimeError):
        await world.service.cancel_orders([cancelling(1, ADA)])
    assert len(world.orders()) == 1
    assert world.outbox() == world.notified() == []
