"""Refused orders are counted where their outcome is known, whichever rule refused them."""

from prometheus_client import CollectorRegistry

from orders.adapters.outbound.telemetry import OrderMetrics
from tests.unit.orders.world import OrdersWorld, order


async def test_an_order_is_counted_once_under_the_reason_of_its_refusal() -> None:
    world, registry = OrdersWorld(bob="insufficient_funds"), CollectorRegistry()
    place = OrderMetrics(registry).placing(world.place)
    await place(order(1, key="k"), order(2, user_id="bob"))
    await place(order(3, key="k", amount=1), order(4, user_id="bob"))
    assert counted(registry, "insufficient_funds") == 2
    assert counted(registry, "idempotency_key_reused") == 1


async def test_an_order_that_payments_spoke_against_but_that_was_placed_before_is_not_counted() -> None:
    world, registry = OrdersWorld(), CollectorRegistry()
    place = OrderMetrics(registry).placing(world.place)
    await place(order(1, key="k"))
    world.reasons["alice"] = "insufficient_funds"
    await place(order(2, key="k"))
    assert counted(registry, "insufficient_funds") == 0


def counted(registry: CollectorRegistry, reason: str) -> float:
    return registry.get_sample_value("shop_orders_refused_total", {"reason": reason}) or 0
