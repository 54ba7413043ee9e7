"""AdmitOrders: whether orders could be paid now, each checked alone."""

from tests.unit.payments.world import order, world_of


async def test_each_order_is_checked_alone_against_the_balance_of_now() -> None:
    world = await world_of(alice=1000, bob=0)
    verdicts = await world.admit(("alice", 1000), ("alice", 1000), ("alice", 1001), ("bob", 1), ("nobody", 1))
    assert verdicts == [None, None, "insufficient_funds", "insufficient_funds", "account_not_found"]


async def test_nothing_is_reserved() -> None:
    world = await world_of(alice=1000)
    assert await world.admit(("alice", 1000)) == await world.admit(("alice", 1000)) == [None]
    assert world.balances() == {"alice": 1000}
    await world.charge(order(1))
    assert await world.admit(("alice", 1)) == ["insufficient_funds"]


async def test_nothing_asked_is_nothing_answered() -> None:
    assert await (await world_of()).admit() == []
