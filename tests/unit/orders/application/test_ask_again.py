"""Asking again: any loss heals, and nothing is asked that is still on its way."""

from datetime import timedelta

from orders.contract.messages import ORDER_CANCELLATION_REQUESTED
from orders.domain.events import PaymentCaptured, PaymentRefunded
from tests.unit.clock import id_of
from tests.unit.orders.world import TRACE, OrdersWorld, order


async def lost(world: OrdersWorld, *numbers: int) -> None:
    """Orders whose request was published, and then lost."""
    await world.place(*(order(number) for number in numbers))
    world.published()


async def test_an_order_that_is_not_decided_after_5_seconds_is_asked_about_again() -> None:
    world = OrdersWorld()
    await lost(world, 1, 2)
    world.clock.advance(4.999)
    assert await world.ask_again() == []
    world.clock.advance(0.001)
    assert await world.ask_again() == [1, 2]


async def test_the_time_between_requests_doubles_up_to_300_seconds() -> None:
    world = OrdersWorld()
    await lost(world, 1)
    for wait_s in (5, 10, 20, 40, 80, 160, 300, 300, 300):
        world.clock.advance(wait_s - 0.001)
        assert await world.ask_again() == []
        world.clock.advance(0.001)
        assert await world.ask_again() == [1]
        world.published()


async def test_a_tick_asks_about_500_orders_at_most() -> None:
    world = OrdersWorld()
    await lost(world, *range(1, 502))
    world.clock.advance(5)
    assert [len(await world.ask_again()), world.published(), len(await world.ask_again())] == [500, None, 1]


async def test_each_request_is_an_event_of_its_own_and_a_trace_of_its_own() -> None:
    world = OrdersWorld()
    await world.place(order(1, pay_by=world.clock.now() + timedelta(seconds=1)))
    world.published()
    world.clock.advance(5)
    await world.ask_again()
    first = world.outbox()
    world.published()
    world.clock.advance(10)
    await world.ask_again()
    (one,), (other,) = first, world.outbox()
    assert one["id"] != other["id"]
    assert one["traceparent"] != other["traceparent"]
    assert one["data"] == other["data"]
    assert one["data"]["payBy"] == "2025-01-01T00:00:01Z"


async def test_a_decided_order_is_never_asked_about() -> None:
    world = OrdersWorld()
    await lost(world, 1, 2)
    await world.settle(PaymentCaptured(order_id=id_of(1), user_id="alice", traceparent=TRACE))
    world.clock.advance(1000)
    assert await world.ask_again() == [2]


async def test_a_cancellation_is_asked_for_again_from_its_own_time_on_until_it_is_over() -> None:
    world = OrdersWorld()
    await lost(world, 1)
    await world.settle(PaymentCaptured(order_id=id_of(1), user_id="alice", traceparent=TRACE))
    world.clock.advance(1000)
    await world.cancel(1)
    world.published()
    for wait in (5, 10, 20):
        world.clock.advance(wait - 0.001)
        assert await world.ask_again() == []
        world.clock.advance(0.001)
        assert await world.ask_again() == [1]
        assert [request["type"] for request in world.outbox()] == [ORDER_CANCELLATION_REQUESTED]
        world.published()
    refunded = PaymentRefunded(order_id=id_of(1), user_id="alice", traceparent=TRACE)
    await world.settle(refunded, first_message=2)
    world.clock.advance(1000)
    assert await world.ask_again() == []


async def test_nothing_is_asked_while_a_request_waits_in_the_outbox() -> None:
    world = OrdersWorld()
    await lost(world, 1)
    world.clock.advance(5)
    await world.place(order(2))
    assert await world.ask_again() == [1]
    await lost(world, 3)
    await world.place(order(4))
    world.clock.advance(10)
    assert await world.ask_again() == []
    world.published()
    assert set(await world.ask_again()) == {1, 2, 3, 4}
