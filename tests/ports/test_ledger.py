"""What every ledger promises."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from asyncpg import CheckViolationError

from kernel.domain.caller import ANYONE
from kernel.domain.errors import Contention
from payments.domain.commands import Deposit
from payments.domain.transfer import FUNDING, REVENUE, Kind, Transfer
from tests.memory.database import CheckViolation
from tests.ports.payments import CAPTURED, NOW, account
from tests.ports.worlds import World, ended


@pytest.fixture
def world(payments_world: World) -> World:
    return payments_world


def transfer(number: int, sequence: int, user_id: str = "ada", **values: Any) -> Transfer:
    deposit = Transfer(
        user_id=user_id,
        sequence=sequence,
        id=UUID(int=number),
        kind=Kind.DEPOSIT,
        debit_account=FUNDING,
        credit_account=f"user:{user_id}",
        amount=100,
        order_id=None,
        idempotency_key=None,
        balance_after=100 * sequence,
        created_at=NOW,
    )
    return replace(deposit, **values)


def capture(number: int, sequence: int, order: int, user_id: str = "ada") -> Transfer:
    accounts = {"debit_account": f"user:{user_id}", "credit_account": REVENUE}
    return transfer(number, sequence, user_id, kind=Kind.CAPTURE, order_id=UUID(int=order), **accounts)


def deposit(number: int, key: str | None = None, user_id: str = "ada") -> Deposit:
    return Deposit(
        transfer_id=UUID(int=number), caller=ANYONE, user_id=user_id, amount=100, idempotency_key=key
    )


async def book(world: World, *transfers: Transfer) -> None:
    """In a transaction of its own."""
    async with world.uow() as uow:
        await world.ledger(uow).add(transfers)


async def deposits(world: World, *commands: Deposit) -> list[Transfer]:
    async with world.uow() as uow:
        found = await world.ledger(uow).booked(commands)
    return sorted(found, key=lambda transfer: transfer.id)


async def test_a_users_own_deposits_are_found_by_their_id_or_their_idempotency_key_each_once(
    world: World,
) -> None:
    by_id, by_key = transfer(1, 1), transfer(2, 2, idempotency_key="two")
    by_both = transfer(3, 3, idempotency_key="three")
    await book(world, by_both, by_id, by_key, transfer(4, 4, idempotency_key="four"), transfer(5, 5))
    await book(world)
    found = await deposits(
        world, deposit(1, "unknown"), deposit(9, "two"), deposit(3, "three"), deposit(3, "three"), deposit(8)
    )
    assert found == [by_id, by_key, by_both]
    assert await deposits(world, deposit(1, "two", user_id="grace")) == []
    assert await deposits(world) == []


async def test_a_transaction_finds_its_own_deposits_and_others_only_committed_ones(world: World) -> None:
    async with world.uow() as uow:
        await world.ledger(uow).add([transfer(1, 1)])
        assert await world.ledger(uow).booked([deposit(1)]) == [transfer(1, 1)]
        assert await deposits(world, deposit(1)) == []
    assert await deposits(world, deposit(1)) == [transfer(1, 1)]


@pytest.mark.parametrize(
    "second",
    [transfer(2, 1), transfer(1, 2), transfer(2, 2, idempotency_key="key")],
    ids=["place in the account", "id", "idempotency key"],
)
async def test_a_transfer_that_repeats_another_is_in_contention_and_all_of_its_call_is_undone(
    world: World, second: Transfer
) -> None:
    await book(world, transfer(1, 1, idempotency_key="key"))
    with pytest.raises(Contention):
        await book(world, transfer(8, 8), second, transfer(9, 9))
    assert await deposits(world, deposit(8), deposit(9), deposit(2)) == []


async def test_a_statement_holds_the_users_transfers_newest_first_within_the_limit(world: World) -> None:
    lines = [transfer(7, 1, idempotency_key="key"), capture(5, 2, 1), transfer(6, 3), capture(4, 4, 2)]
    await book(world, *lines, transfer(8, 1, "grace"))

    async def page(after: int | None, limit: int) -> list[Transfer]:
        return list(await world.statements().page("ada", after=after, limit=limit))

    assert await page(None, 10) == lines[::-1]
    assert await page(None, 3) == lines[:0:-1]
    assert await page(3, 10) == [lines[1], lines[0]]
    assert await page(3, 1) == [lines[1]]
    assert await page(1, 10) == []
    assert await page(2**63 - 1, 1) == [lines[3]]
    assert await world.statements().page("nobody", after=None, limit=1) == []


async def test_a_statement_shows_what_is_committed_now(world: World) -> None:
    async with world.uow() as uow:
        await world.ledger(uow).add([transfer(1, 1)])
        assert await world.statements().page("ada", after=None, limit=10) == []
    assert await world.statements().page("ada", after=None, limit=10) == [transfer(1, 1)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, 8, 9])
async def test_the_balance_of_a_time_is_that_after_the_last_transfer_until_then(
    world: World, count: int
) -> None:
    second = timedelta(seconds=1)
    # Two of each second.
    mine = [transfer(n, n, created_at=NOW + n // 2 * second) for n in range(1, count + 1)]
    await book(world, *mine, *(transfer(100 + n, n, "grace", balance_after=1) for n in range(1, 12)))
    statements, ada = world.statements(), account("ada", sequence=count)
    for half_seconds in range(-1, count + 4):
        at = NOW + half_seconds * second / 2
        balance = next((t.balance_after for t in reversed(mine) if t.created_at <= at), 0)
        assert await statements.balance(ada, at) == balance


async def test_there_is_one_transfer_for_an_order_and_a_kind(world: World) -> None:
    await book(world, capture(1, 1, order=1), capture(2, 2, order=2))
    with pytest.raises(Contention):
        await book(world, capture(3, 3, order=1))
    await book(world, refund(3, 3, order=1))
    with pytest.raises(Contention):
        await book(world, refund(4, 4, order=1))


def refund(number: int, sequence: int, order: int, user_id: str = "ada") -> Transfer:
    accounts = {"debit_account": REVENUE, "credit_account": f"user:{user_id}"}
    return transfer(number, sequence, user_id, kind=Kind.REFUND, order_id=UUID(int=order), **accounts)


async def of_orders(world: World, *orders: int, user_id: str = "ada") -> list[Transfer]:
    payments = [replace(CAPTURED, user_id=user_id, order_id=UUID(int=order)) for order in orders]
    async with world.uow() as uow:
        found = await world.ledger(uow).of_orders(payments)
    return sorted(found, key=lambda transfer: transfer.id)


async def test_the_captures_and_refunds_of_a_users_own_orders_are_found_each_once(world: World) -> None:
    paid, other, given_back = capture(1, 1, order=1), capture(2, 2, order=2), refund(3, 3, order=1)
    await book(world, given_back, paid, other, transfer(4, 4))
    assert await of_orders(world, 1, 3, 1) == [paid, given_back]
    assert await of_orders(world, 2) == [other]
    assert await of_orders(world, 1, user_id="grace") == []
    assert await of_orders(world) == []


async def test_a_transaction_finds_its_own_refunds_and_others_only_committed_ones(world: World) -> None:
    async with world.uow() as uow:
        await world.ledger(uow).add([refund(1, 1, order=1)])
        own = await world.ledger(uow).of_orders([CAPTURED])
        assert list(own) == [refund(1, 1, order=1)]
        assert await of_orders(world, 1) == []
    assert await of_orders(world, 1) == [refund(1, 1, order=1)]


async def test_a_transfer_that_repeats_one_of_another_user_is_fine(world: World) -> None:
    await book(world, transfer(1, 1, idempotency_key="key"), capture(2, 2, order=1))
    await book(world, transfer(1, 1, "grace", idempotency_key="key"), capture(2, 2, order=1, user_id="grace"))


@pytest.mark.parametrize(
    "wrong",
    [{"amount": 0}, {"balance_after": -1}, {"debit_account": REVENUE, "credit_account": REVENUE}],
    ids=["nothing", "below zero", "to itself"],
)
async def test_a_transfer_that_cannot_be_is_refused(world: World, wrong: dict[str, Any]) -> None:
    with pytest.raises((CheckViolationError, CheckViolation)):
        await book(world, replace(transfer(1, 1), **wrong))


async def test_of_two_that_want_one_place_in_an_account_the_second_waits_and_loses(world: World) -> None:
    async with world.uow() as uow:
        await world.ledger(uow).add([transfer(1, 1)])
        await world.ledger(uow).booked([])  # A read comes after what was written.
        second = world.start(book(world, transfer(2, 1)))
        await world.blocked(second)
    with pytest.raises(Contention):
        await ended(second)
