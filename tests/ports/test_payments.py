"""What every store of payments promises: accounts, their ledger, the decisions, and the reads beside them."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from kernel.domain.errors import Contention
from payments.domain.events import OrderPlaced
from payments.domain.payment import Decision, Payment
from tests.ports.payments import CAPTURED, NOW, account, open_accounts
from tests.ports.worlds import World, ended, undone


@pytest.fixture
def world(payments_world: World) -> World:
    return payments_world


def placed(order: int, user_id: str = "ada") -> OrderPlaced:
    return OrderPlaced(order_id=UUID(int=order), user_id=user_id, traceparent="", amount=100, currency="RUB")


DECLINED = Payment(
    user_id="grace",
    order_id=UUID(int=2),
    decision=Decision.DECLINED,
    reason="insufficient_funds",
    transfer_id=None,
    created_at=NOW,
)


async def decide(world: World, *payments: Payment) -> None:
    """In a transaction of its own."""
    async with world.uow() as uow:
        await world.payments(uow).add(payments)


async def recorded(world: World, *orders: OrderPlaced) -> list[Payment]:
    async with world.uow() as uow:
        found = await world.payments(uow).recorded(orders)
    return sorted(found, key=lambda payment: payment.order_id)


async def test_a_decision_is_recorded_with_all_its_values_and_found_once(world: World) -> None:
    await decide(world, DECLINED, CAPTURED)
    await decide(world)
    assert await recorded(world, placed(2, "grace"), placed(1), placed(3), placed(1)) == [CAPTURED, DECLINED]
    assert await recorded(world) == []


async def test_a_decision_is_found_whichever_user_the_request_names(world: World) -> None:
    await decide(world, CAPTURED)
    assert await recorded(world, placed(1, "grace")) == [CAPTURED]


@pytest.mark.parametrize("other", [{"decision": Decision.DECLINED}, {"user_id": "grace"}], ids=str)
async def test_an_order_is_decided_once_for_ever_and_for_one_user(
    world: World, other: dict[str, Any]
) -> None:
    await decide(world, CAPTURED)
    with pytest.raises(Contention):
        await decide(world, DECLINED, replace(CAPTURED, **other))
    assert await recorded(world, placed(1), placed(2, "grace")) == [CAPTURED]


async def test_of_two_that_decide_one_order_the_second_waits_and_loses(world: World) -> None:
    async with world.uow() as uow:
        await world.payments(uow).add([CAPTURED])
        await world.payments(uow).recorded([])  # A read comes after what was written.
        second = world.start(decide(world, CAPTURED))
        await world.blocked(second)
    with pytest.raises(Contention):
        await ended(second)


async def test_a_decision_made_while_one_waited_for_the_account_is_found_after_the_lock(world: World) -> None:
    async def look() -> list[Payment]:
        async with world.uow() as uow:
            await world.accounts(uow).lock({"ada"})
            return list(await world.payments(uow).recorded([placed(1)]))

    await open_accounts(world, account("ada"))
    async with world.uow() as uow:
        await world.accounts(uow).lock({"ada"})
        await world.payments(uow).add([CAPTURED])
        second = world.start(look())
        await world.blocked(second)
    assert await ended(second) == [CAPTURED]


async def test_a_decision_that_was_rolled_back_is_none(world: World) -> None:
    async with undone(world.uow()) as uow:
        await world.payments(uow).add([CAPTURED])
        assert await world.payments(uow).recorded([placed(1)]) == [CAPTURED]
    assert await recorded(world, placed(1)) == []
    await decide(world, CAPTURED)
