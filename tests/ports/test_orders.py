"""What every store of orders promises: the collection, its history, and the reads beside it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from kernel.domain.errors import Contention
from kernel.domain.events import MessageId, Unhandled
from kernel.ports.unit_of_work import UnitOfWork
from orders.domain.commands import CancelOrder, PlaceOrder
from orders.domain.events import PaymentCaptured, PaymentResult
from orders.domain.order import Order
from orders.domain.status import Status, StatusChanged
from tests.ports.worlds import PostgresWorld, World, ended, failing, undone

NOW = datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)


def order(number: int, user_id: str = "ada", **values: Any) -> Order:
    placed = Order(
        id=UUID(int=number),
        user_id=user_id,
        amount=1000 + number,
        currency="RUB",
        description=f"order {number}",
        status=Status.NEW,
        reason=None,
        idempotency_key=None,
        cancel_requested_at=None,
        ask_again_at=LATER,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(placed, **values)


def decided(*orders: Order) -> list[PaymentResult]:
    return [PaymentCaptured(order_id=order.id, user_id=order.user_id, traceparent="") for order in orders]


def command(order: Order, **values: Any) -> PlaceOrder:
    placing = PlaceOrder(
        order_id=order.id,
        user_id=order.user_id,
        amount=order.amount,
        description=order.description,
        idempotency_key=order.idempotency_key,
        traceparent="",
    )
    return replace(placing, **values)


async def add(world: World, *orders: Order) -> None:
    """In a transaction of its own."""
    async with world.uow() as uow:
        await world.orders(uow).add(orders)


async def add_first(world: World, uow: UnitOfWork, *orders: Order) -> None:
    """In a transaction that goes on: what is only written might wait for its end."""
    await world.orders(uow).add(orders)
    assert (await world.orders(uow).lock(decided(*orders))).keys() == {order.id for order in orders}


async def there(world: World) -> list[UUID]:
    """The ids of all orders."""
    return [order.id for order in await world.placed().page(user_id=None, status=None, after=None, limit=500)]


async def cancel(world: World, *orders: Order, reason: str = "reason") -> None:
    """Those that are there, in a transaction of its own."""
    async with world.uow() as uow:
        locked = await world.orders(uow).lock(decided(*orders))
        for found in locked.values():
            found.status, found.reason, found.updated_at = Status.CANCELLED, reason, LATER
        await world.orders(uow).save(list(locked.values()))


async def test_an_order_that_was_added_is_there_with_all_its_values(world: World) -> None:
    plain = order(1)
    odd = order(
        2,
        "grace",
        amount=99_999_999_999_999,
        description="Кофе 'ü' \"😀\" \\",
        status=Status.CANCELLED,
        reason="insufficient_funds",
        idempotency_key="key",
        cancel_requested_at=LATER,
        ask_again_at=None,
        updated_at=LATER,
    )
    await add(world, plain, odd)
    assert await world.placed().get(plain.id) == plain
    assert await world.placed().get(odd.id) == odd


async def test_adding_none_changes_nothing(world: World) -> None:
    await add(world)
    assert await there(world) == []


@pytest.mark.parametrize("twin", [order(1), order(2, idempotency_key="key")], ids=["id", "key"])
async def test_where_one_is_there_already_none_is_added_and_the_first_stays(
    world: World, twin: Order
) -> None:
    first = order(1, idempotency_key="key")
    await add(world, first)
    with pytest.raises(Contention):
        await add(world, order(3), replace(twin, amount=5), order(4))
    assert await there(world) == [first.id]
    assert await world.placed().get(first.id) == first


async def test_an_idempotency_key_belongs_to_its_user(world: World) -> None:
    await add(world, order(1, "ada", idempotency_key="key"))
    await add(world, order(2, "grace", idempotency_key="key"))
    assert await there(world) == [order(1).id, order(2).id]


async def test_orders_without_an_idempotency_key_do_not_meet(world: World) -> None:
    await add(world, order(1), order(2))
    assert await there(world) == [order(1).id, order(2).id]


async def test_of_two_orders_with_one_key_in_one_call_none_is_added(world: World) -> None:
    with pytest.raises(Contention):
        await add(world, order(1, idempotency_key="key"), order(2, idempotency_key="key"))
    assert await there(world) == []


async def test_what_was_added_is_the_transactions_own_until_it_commits(world: World) -> None:
    async with undone(world.uow()) as uow:
        await world.orders(uow).add([order(1)])
        assert await world.orders(uow).lock(decided(order(1))) == {order(1).id: order(1)}
        assert await world.placed().get(order(1).id) is None
    assert await world.placed().get(order(1).id) is None


@pytest.mark.parametrize("twin", [order(1), order(2, idempotency_key="key")], ids=["id", "key"])
async def test_adding_a_twin_waits_for_the_first_and_finds_it(world: World, twin: Order) -> None:
    async with world.uow() as uow:
        await add_first(world, uow, order(1, idempotency_key="key"))
        second = world.start(add(world, twin, order(3)))
        await world.blocked(second)
    with pytest.raises(Contention):
        await ended(second)
    assert await there(world) == [order(1).id]


async def test_adding_a_twin_succeeds_when_the_first_rolls_back(world: World) -> None:
    async with undone(world.uow()) as uow:
        await add_first(world, uow, order(1, idempotency_key="key"))
        second = world.start(add(world, order(2, idempotency_key="key")))
        await world.blocked(second)
    await ended(second)
    assert await there(world) == [order(2).id]


async def test_batches_of_twins_in_opposite_orders_are_no_deadlock(world: World) -> None:
    """A client that repeats two calls at once: the same keys, other ids. The gate holds both half way."""
    one = [order(number, idempotency_key=key) for number, key in ((1, "a"), (2, "gate"), (3, "b"))]
    other = [order(number, idempotency_key=key) for number, key in ((4, "b"), (5, "gate"), (6, "a"))]
    async with undone(world.uow()) as uow:
        await add_first(world, uow, order(9, idempotency_key="gate"))
        first = world.start(add(world, *one))
        await world.blocked(first)
        second = world.start(add(world, *other))
        await world.blocked(first, second)
    await ended(first)
    with pytest.raises(Contention):
        await ended(second)
    assert await there(world) == [new.id for new in one]


async def test_locking_gives_the_orders_that_the_decisions_are_about(world: World) -> None:
    await add(world, order(1), order(2), order(3, "grace"))
    async with world.uow() as uow:
        locked = await world.orders(uow).lock(decided(order(3, "grace"), order(1), order(1)))
        assert locked == {order(1).id: order(1), order(3).id: order(3, "grace")}
        assert await world.orders(uow).lock([]) == {}


async def test_locking_is_the_same_for_those_who_cancel(world: World) -> None:
    await add(world, order(1), order(2), order(3, "grace"))
    commands = [
        CancelOrder(order_id=order(number).id, user_id="ada", traceparent="") for number in (2, 1, 2, 3, 4)
    ]
    async with world.uow() as uow:
        locked = await world.orders(uow).lock(commands)
        assert locked == {order(1).id: order(1), order(2).id: order(2)}


async def test_locking_leaves_out_what_is_not_there_or_not_of_that_user(world: World) -> None:
    await add(world, order(1), order(2, "grace"))
    async with world.uow() as uow:
        locked = await world.orders(uow).lock(decided(order(1, "grace"), order(2, "grace"), order(3)))
        assert locked == {order(2).id: order(2, "grace")}


async def test_a_locked_order_is_seen_as_the_transaction_before_left_it(world: World) -> None:
    await add(world, order(1), order(2))
    async with world.uow() as uow:
        orders = world.orders(uow)
        locked = await orders.lock(decided(order(1)))
        second = world.start(cancel(world, order(1), reason="second"))
        await world.blocked(second)
        locked[order(1).id].reason = "first"
        await orders.save(list(locked.values()))
        await ended(world.start(cancel(world, order(2))))
    await ended(second)
    found = await world.placed().get(order(1).id)
    assert found == order(1, status=Status.CANCELLED, reason="second", updated_at=LATER)


async def test_locks_in_opposite_orders_are_no_deadlock(world: World) -> None:
    await add(world, order(1), order(2), order(3))
    async with world.uow() as uow:
        await world.orders(uow).lock(decided(order(2)))
        first = world.start(cancel(world, order(1), order(2), order(3), reason="first"))
        await world.blocked(first)
        second = world.start(cancel(world, order(3), order(2), order(1), reason="second"))
        await world.blocked(first, second)
    await ended(first)
    await ended(second)


async def test_a_lock_ends_with_a_rollback(world: World) -> None:
    await add(world, order(1))
    async with undone(world.uow()) as uow:
        await world.orders(uow).lock(decided(order(1)))
    await cancel(world, order(1))


async def test_saving_changes_what_became_of_the_order_and_nothing_else(world: World) -> None:
    await add(world, order(1, idempotency_key="key"), order(2))
    async with world.uow() as uow:
        orders = world.orders(uow)
        (found,) = (await orders.lock(decided(order(1)))).values()
        changed = replace(
            found,
            status=Status.REFUNDING,
            reason="why",
            cancel_requested_at=NOW,
            ask_again_at=None,
            updated_at=LATER,
        )
        await orders.save([replace(changed, amount=1, description="other", currency="USD")])
        assert await orders.lock(decided(order(1))) == {changed.id: changed}
        await orders.save([])
    assert await world.placed().get(changed.id) == changed
    assert await world.placed().get(order(2).id) == order(2)


async def overdue(world: World, now: datetime = LATER, *, count_max: int = 10) -> list[int]:
    """The numbers of the orders that it is time to ask about."""
    async with world.uow() as uow:
        return [found.id.int for found in await world.orders(uow).overdue(now, count_max=count_max)]


async def test_orders_are_overdue_from_their_time_on_the_longest_overdue_first(world: World) -> None:
    times = {1: LATER, 2: NOW, 3: None, 4: LATER + timedelta(microseconds=1)}
    await add(world, *(order(number, ask_again_at=at) for number, at in times.items()))
    assert await overdue(world) == [2, 1]
    assert await overdue(world, count_max=1) == [2]
    assert await overdue(world, NOW - timedelta(seconds=1)) == []


async def test_an_order_that_somebody_else_has_locked_is_passed_over(world: World) -> None:
    await add(world, order(1), order(2))
    async with world.uow() as uow:
        await world.orders(uow).lock(decided(order(1)))
        assert await overdue(world) == [2]
    assert await overdue(world) == [1, 2]


async def test_overdue_orders_are_locked_so_that_replicas_share_them(world: World) -> None:
    await add(world, order(1), order(2))
    async with world.uow() as uow:
        assert len(await world.orders(uow).overdue(LATER, count_max=1)) == 1
        assert await overdue(world) == [2]


async def test_an_order_that_a_parked_message_names_waits_for_the_operator(world: World) -> None:
    await add(world, order(1), order(2))
    parked = Unhandled(MessageId("s", "1"), "type", str(order(1).id), "reason", "detail", b"{}")
    async with world.uow() as uow:
        await world.parked(uow).add([parked])
    assert await overdue(world) == [2]


async def test_what_is_saved_twice_stays_as_it_was_saved_last(world: World) -> None:
    await add(world, order(1))
    async with world.uow() as uow:
        await world.orders(uow).save([order(1, status=Status.FINISHED)])
        await world.history(uow).add([changed(1, 1)])
        await world.orders(uow).save([order(1, status=Status.REFUNDING)])
        await world.history(uow).add([changed(1, 2)])
    assert await world.placed().get(order(1).id) == order(1, status=Status.REFUNDING)
    assert await world.history_rows() == [changed(1, 1), changed(1, 2)]


async def test_what_is_written_together_fails_together(world: World) -> None:
    await add(world, order(1))
    await record(world, changed(1, 1))
    async with failing(Contention, world.uow()) as uow:
        await world.orders(uow).save([order(1, status=Status.FINISHED)])
        await world.history(uow).add([changed(1, 1)])
    assert await world.placed().get(order(1).id) == order(1)


async def test_what_was_saved_is_undone_by_a_rollback(world: World) -> None:
    await add(world, order(1))
    async with undone(world.uow()) as uow:
        await world.orders(uow).lock(decided(order(1)))
        await world.orders(uow).save([order(1, status=Status.FINISHED)])
    assert await world.placed().get(order(1).id) == order(1)


async def test_a_change_to_an_order_is_nothing_until_it_is_saved(world: World) -> None:
    given = order(1)
    await add(world, given)
    given.status = Status.FINISHED
    async with world.uow() as uow:
        (locked,) = (await world.orders(uow).lock(decided(order(1)))).values()
        locked.status = Status.FINISHED
    found = await world.placed().get(order(1).id)
    assert found == order(1)
    found.status = Status.FINISHED
    assert await world.placed().get(order(1).id) == order(1)


def changed(number: int, sequence: int, user_id: str = "ada") -> StatusChanged:
    return StatusChanged(
        user_id=user_id,
        order_id=UUID(int=number),
        sequence=sequence,
        status=Status.NEW if sequence == 1 else Status.CANCELLED,
        reason=None if sequence == 1 else "reason",
        at=NOW,
    )


async def record(world: World, *changes: StatusChanged) -> None:
    """In a transaction of its own."""
    async with world.uow() as uow:
        await world.history(uow).add(changes)


async def test_the_history_keeps_every_status(world: World) -> None:
    await record(world, changed(2, 1), changed(1, 2), changed(1, 1))
    await record(world, changed(2, 2), changed(2, 1, "grace"))
    await record(world)
    assert await world.history_rows() == [
        changed(1, 1),
        changed(1, 2),
        changed(2, 1),
        changed(2, 2),
        changed(2, 1, "grace"),
    ]


async def test_a_place_in_the_history_is_given_once(world: World) -> None:
    await record(world, changed(1, 1))
    with pytest.raises(Contention):
        await record(world, changed(2, 1), changed(1, 1))
    assert await world.history_rows() == [changed(1, 1)]


async def test_of_two_that_want_one_place_in_the_history_the_second_waits_and_loses(world: World) -> None:
    async with world.uow() as uow:
        await world.history(uow).add([changed(1, 1)])
        await world.history(uow).add([changed(2, 1)])  # Before it, the first is written.
        second = world.start(record(world, changed(1, 1)))
        await world.blocked(second)
    with pytest.raises(Contention):
        await ended(second)


async def test_nothing_of_a_rollback_stays_in_the_history(world: World) -> None:
    async with undone(world.uow()) as uow:
        await world.history(uow).add([changed(1, 1)])
    assert await world.history_rows() == []


async def test_the_history_of_an_order_is_read_oldest_first_from_a_place_on(world: World) -> None:
    await add(world, order(1), order(2))
    await record(world, changed(1, 2), changed(2, 1), changed(1, 1))
    changes = [changed(1, 1), changed(1, 2)]
    for after, expected in ((0, changes), (1, changes[1:]), (2, []), (2**63 - 1, [])):
        assert await world.placed().history(UUID(int=1), after=after) == expected
    assert await world.placed().history(UUID(int=3), after=0) == []


async def test_the_status_histories_of_orders_show_each_as_it_was_after_each_change(world: World) -> None:
    await add(world, order(1), order(2, "bob"), order(3))
    await record(world, changed(1, 1), changed(2, 1, "bob"), changed(2, 2, "bob"), changed(3, 1))
    await cancel(world, order(2, "bob"))
    status_histories = await world.placed().status_histories([UUID(int=2), UUID(int=1), UUID(int=9)])
    cancelled = order(2, "bob", status=Status.CANCELLED, reason="reason")
    assert {id: list(status_history) for id, status_history in status_histories.items()} == {
        UUID(int=1): [order(1)],
        UUID(int=2): [replace(cancelled, status=Status.NEW, reason=None), cancelled],
    }


@pytest.mark.parametrize("statement", ["UPDATE order_history SET sequence = 7", "DELETE FROM order_history"])
async def test_postgres_refuses_to_change_the_history(postgres: PostgresWorld, statement: str) -> None:
    await record(postgres, changed(1, 1))
    with pytest.raises(asyncpg.RaiseError, match="order_history is append-only"):
        await postgres.watcher.execute(statement)


async def test_an_order_that_is_not_there_is_none(world: World) -> None:
    assert await world.placed().get(UUID(int=1)) is None


async def test_orders_are_found_by_their_idempotency_key_or_where_there_is_none_their_id_each_once(
    world: World,
) -> None:
    by_id, by_key = order(1), order(2, idempotency_key="two")
    await add(world, by_id, by_key, order(4, idempotency_key="four"), order(5))
    found = await world.placed().find(
        [
            command(by_id),
            command(by_id),
            command(by_key, order_id=UUID(int=9)),
            command(by_key),
            command(order(5), idempotency_key="unknown"),
            command(order(8)),
        ]
    )
    assert sorted(found, key=lambda order: order.id) == [by_id, by_key]
    assert await world.placed().find([]) == []


async def test_only_the_users_own_orders_are_found(world: World) -> None:
    await add(world, order(1, "ada", idempotency_key="key"))
    assert await world.placed().find([command(order(1, "grace", idempotency_key="key"))]) == []


async def test_twins_are_the_orders_with_the_keys_of_the_commands(world: World) -> None:
    await add(world, order(1, idempotency_key="one"), order(2), order(3, "grace", idempotency_key="three"))
    twin = command(order(9, idempotency_key="one"))
    others = [order(2), order(8, idempotency_key="free"), order(7, idempotency_key="three")]
    assert await world.placed().find_twins([command(other) for other in others]) == []
    assert await world.placed().find_twins([command(others[1]), twin, twin, command(others[0])]) == [
        order(1, idempotency_key="one")
    ]
    assert await world.placed().find_twins([]) == []
    await add(world, order(8, idempotency_key="free"))
    assert order(8).id in await there(world)


async def test_a_twin_that_is_just_being_placed_is_waited_for_and_found(world: World) -> None:
    first = order(1, idempotency_key="key")
    async with world.uow() as uow:
        await add_first(world, uow, first)
        twins = [command(order(number, idempotency_key="key")) for number in (2, 3)]
        finding = world.start(world.placed().find_twins([*twins, command(order(4, idempotency_key="free"))]))
        await world.blocked(finding)
    assert await ended(finding) == [first]


async def test_a_twin_that_is_given_up_was_never_there(world: World) -> None:
    async with undone(world.uow()) as uow:
        await add_first(world, uow, order(1, idempotency_key="key"))
        finding = world.start(world.placed().find_twins([command(order(2, idempotency_key="key"))]))
        await world.blocked(finding)
    assert await ended(finding) == []


async def test_a_twin_is_not_waited_for_for_ever(postgres: PostgresWorld) -> None:
    async with undone(postgres.uow()) as uow:
        await add_first(postgres, uow, order(1, idempotency_key="key"))
        with pytest.raises(Contention):
            await postgres.placed().find_twins([command(order(2, idempotency_key="key"))])


async def test_finding_and_adding_twins_in_opposite_orders_is_no_deadlock(world: World) -> None:
    one = [order(number, idempotency_key=key) for number, key in ((1, "a"), (2, "gate"), (3, "b"))]
    other = [order(number, idempotency_key=key) for number, key in ((4, "b"), (5, "gate"), (6, "a"))]
    async with undone(world.uow()) as uow:
        await add_first(world, uow, order(9, idempotency_key="gate"))
        finding = world.start(world.placed().find_twins([command(twin) for twin in one]))
        await world.blocked(finding)
        adding = world.start(add(world, *other))
        await world.blocked(finding, adding)
    assert await ended(finding) == []
    await ended(adding)
    assert await there(world) == [new.id for new in other]


async def test_reads_see_what_is_committed_now_and_wait_for_nobody(world: World) -> None:
    await add(world, order(1))
    async with world.uow() as uow:
        await world.orders(uow).lock(decided(order(1)))
        await world.orders(uow).save([order(1, status=Status.FINISHED)])
        await world.orders(uow).add([order(2)])
        assert await world.placed().get(order(1).id) == order(1)
        assert await world.placed().find([command(order(1)), command(order(2))]) == [order(1)]
        assert await world.placed().page(user_id=None, status=None, after=None, limit=10) == [order(1)]
    assert len(await world.placed().page(user_id=None, status=None, after=None, limit=10)) == 2


async def test_a_page_holds_the_oldest_first_after_the_given_id_within_the_limit(world: World) -> None:
    await add(world, *(order(number, user) for number, user in ((3, "a"), (1, "c"), (4, "b"), (2, "a"))))

    async def page(after: int | None, limit: int) -> list[int]:
        last = None if after is None else UUID(int=after)
        found = await world.placed().page(user_id=None, status=None, after=last, limit=limit)
        return [order.id.int for order in found]

    assert await page(None, 10) == [1, 2, 3, 4]
    assert await page(None, 3) == [1, 2, 3]
    assert await page(2, 10) == [3, 4]
    assert await page(2, 1) == [3]
    assert await page(4, 10) == []


async def test_a_page_can_be_of_one_user_and_of_one_status(world: World) -> None:
    await add(
        world,
        order(1),
        order(2, status=Status.FINISHED),
        order(3, "grace"),
        order(4, "grace", status=Status.FINISHED),
    )

    async def page(user_id: str | None, status: Status | None) -> list[int]:
        found = await world.placed().page(user_id=user_id, status=status, after=None, limit=10)
        return [order.id.int for order in found]

    assert await page("ada", None) == [1, 2]
    assert await page(None, Status.FINISHED) == [2, 4]
    assert await page("grace", Status.FINISHED) == [4]
    assert await page("nobody", None) == []


@pytest.mark.parametrize("user_id", [None, "ada"])
@pytest.mark.parametrize("status", [None, *Status])
async def test_pages_one_after_another_hold_every_order_that_matches_once(
    world: World, user_id: str | None, status: Status | None
) -> None:
    users, statuses = ("ada", "grace", "a"), (*Status, Status.FINISHED)
    orders = [order(n, users[n % 3], status=statuses[n // 3 % 6]) for n in range(1, 60)]
    await add(world, *orders)
    found: list[UUID] = []
    while page := await world.placed().page(
        user_id=user_id, status=status, after=found[-1] if found else None, limit=3
    ):
        found += [order.id for order in page]
    assert found == [
        order.id for order in orders if user_id in (None, order.user_id) and status in (None, order.status)
    ]
