"""What every store of payments promises: accounts, their ledger, the decisions, and the reads beside them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from asyncpg import CheckViolationError

from kernel.domain.errors import Contention
from payments.domain.account import FUNDING, REVENUE, Account, Deposit, Kind, Transfer
from payments.domain.events import OrderPlaced
from payments.domain.payment import Decision, Payment
from tests.memory.database import CheckViolation
from tests.ports.worlds import PostgresWorld, World, ended, failing, undone

NOW = datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture
def world(payments_world: World) -> World:
    return payments_world


def account(user_id: str, number: int = 1, **values: Any) -> Account:
    opened = Account(
        id=UUID(int=number),
        user_id=user_id,
        balance=0,
        sequence=0,
        currency="RUB",
        idempotency_key=None,
        created_at=NOW,
    )
    return replace(opened, **values)


async def open_accounts(world: World, *accounts: Account) -> Mapping[str, Account]:
    """In a transaction of its own."""
    async with world.uow() as uow:
        return await world.accounts(uow).add(accounts)


async def top_up(world: World, *user_ids: str) -> None:
    """Each account by 1, in a transaction of its own."""
    async with world.uow() as uow:
        locked = await world.accounts(uow).lock(set(user_ids))
        for found in locked.values():
            found.balance, found.sequence = found.balance + 1, found.sequence + 1
        await world.accounts(uow).save(list(locked.values()))


async def balances(world: World, *user_ids: str) -> list[int]:
    found = await world.opened().find(set(user_ids))
    return [found[user_id].balance for user_id in user_ids]


async def test_each_user_has_the_account_that_was_given_with_all_its_values(world: World) -> None:
    plain, keyed = account("ada", 1), account("grace", 2, idempotency_key="key", balance=9, sequence=3)
    assert await open_accounts(world, keyed, plain) == {"ada": plain, "grace": keyed}
    assert await world.opened().find({"ada", "grace", "nobody"}) == {"ada": plain, "grace": keyed}


async def test_a_user_who_had_an_account_keeps_it(world: World) -> None:
    await open_accounts(world, account("ada", 1))
    given = account("ada", 2, currency="USD", idempotency_key="key"), account("grace", 3)
    expected = {"ada": account("ada", 1), "grace": account("grace", 3)}
    assert await open_accounts(world, *given) == expected
    assert await world.opened().find({"ada", "grace"}) == expected
    assert await open_accounts(world) == {}


async def test_two_users_may_use_the_same_idempotency_key(world: World) -> None:
    await open_accounts(world, account("ada", 1, idempotency_key="key"))
    assert len(await open_accounts(world, account("grace", 2, idempotency_key="key"))) == 1


async def test_a_second_account_waits_for_the_first_and_is_told_of_it(world: World) -> None:
    async with world.uow() as uow:
        await world.accounts(uow).add([account("ada", 1)])
        second = world.start(open_accounts(world, account("ada", 2)))
        await world.blocked(second)
    assert await ended(second) == {"ada": account("ada", 1)}


async def test_a_second_account_is_opened_when_the_first_is_rolled_back(world: World) -> None:
    async with undone(world.uow()) as uow:
        await world.accounts(uow).add([account("ada", 1)])
        second = world.start(open_accounts(world, account("ada", 2)))
        await world.blocked(second)
    assert await ended(second) == {"ada": account("ada", 2)}


async def test_opening_in_opposite_orders_is_no_deadlock(world: World) -> None:
    async with world.uow() as uow:
        await world.accounts(uow).add([account("b")])
        first = world.start(open_accounts(world, account("a", 1), account("b", 1), account("c", 1)))
        await world.blocked(first)
        second = world.start(open_accounts(world, account("c", 2), account("b", 2), account("a", 2)))
        await world.blocked(first, second)
    assert await ended(first) == await ended(second) == {user: account(user) for user in "abc"}


async def test_locking_gives_the_accounts_that_are_there(world: World) -> None:
    await open_accounts(world, account("ada"), account("grace", 2), account("other", 3))
    async with world.uow() as uow:
        locked = await world.accounts(uow).lock({"ada", "grace", "nobody"})
        assert locked == {"ada": account("ada"), "grace": account("grace", 2)}
        assert await world.accounts(uow).lock(set()) == {}


async def test_a_locked_account_is_seen_as_the_transaction_before_left_it(world: World) -> None:
    await open_accounts(world, account("ada"), account("grace", 2))
    async with world.uow() as uow:
        locked = await world.accounts(uow).lock({"ada"})
        second = world.start(top_up(world, "ada"))
        await world.blocked(second)
        await ended(world.start(top_up(world, "grace")))
        await world.accounts(uow).save([replace(locked["ada"], balance=100, sequence=1)])
    await ended(second)
    assert (await world.opened().find({"ada"}))["ada"] == account("ada", balance=101, sequence=2)
    assert await balances(world, "grace") == [1]


async def test_locks_in_opposite_orders_are_no_deadlock(world: World) -> None:
    await open_accounts(world, *(account(user, number) for number, user in enumerate("abc")))
    async with world.uow() as uow:
        await world.accounts(uow).lock({"b"})
        first = world.start(top_up(world, "a", "b", "c"))
        await world.blocked(first)
        second = world.start(top_up(world, "c", "b", "a"))
        await world.blocked(first, second)
    await ended(first)
    await ended(second)
    assert await balances(world, "a", "b", "c") == [2, 2, 2]


async def test_saving_changes_the_balance_and_the_sequence_and_nothing_else(world: World) -> None:
    await open_accounts(world, account("ada", idempotency_key="key"), account("grace", 2))
    async with world.uow() as uow:
        await world.accounts(uow).lock({"ada"})
        changed = account("ada", 7, balance=9_007_199_254_740_991, sequence=5, currency="USD")
        await world.accounts(uow).save([changed])
        saved = account("ada", idempotency_key="key", balance=9_007_199_254_740_991, sequence=5)
        assert await world.accounts(uow).lock({"ada"}) == {"ada": saved}
        await world.accounts(uow).save([])
    assert await world.opened().find({"ada", "grace"}) == {"ada": saved, "grace": account("grace", 2)}


async def test_a_change_to_an_account_is_nothing_until_it_is_saved(world: World) -> None:
    given = account("ada")
    returned = (await open_accounts(world, given))["ada"]
    async with world.uow() as uow:
        locked = (await world.accounts(uow).lock({"ada"}))["ada"]
    found = (await world.opened().find({"ada"}))["ada"]
    for own in given, returned, locked, found:
        own.balance = 5
    assert await balances(world, "ada") == [0]


async def test_what_was_saved_is_undone_by_a_rollback(world: World) -> None:
    await open_accounts(world, account("ada"))
    async with undone(world.uow()) as uow:
        await world.accounts(uow).lock({"ada"})
        await world.accounts(uow).save([account("ada", balance=5, sequence=1)])
    assert await world.opened().find({"ada"}) == {"ada": account("ada")}


async def test_no_balance_is_below_zero(world: World) -> None:
    await open_accounts(world, account("ada"))
    async with failing((CheckViolationError, CheckViolation), world.uow()) as uow:
        await world.accounts(uow).lock({"ada"})
        await world.accounts(uow).save([account("ada", balance=-1)])
    assert await balances(world, "ada") == [0]


async def test_reads_see_what_is_committed_now_and_wait_for_nobody(world: World) -> None:
    await open_accounts(world, account("ada"))
    async with world.uow() as uow:
        await world.accounts(uow).lock({"ada"})
        await world.accounts(uow).save([account("ada", balance=5)])
        await world.accounts(uow).add([account("grace", 2)])
        assert await world.opened().find({"ada", "grace"}) == {"ada": account("ada")}
    assert await balances(world, "ada", "grace") == [5, 0]
    assert await world.opened().find(set()) == {}


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
    return Deposit(transfer_id=UUID(int=number), user_id=user_id, amount=100, idempotency_key=key)


async def book(world: World, *transfers: Transfer) -> None:
    """In a transaction of its own."""
    async with world.uow() as uow:
        await world.ledger(uow).add(transfers)


async def deposits(world: World, *commands: Deposit) -> list[Transfer]:
    async with world.uow() as uow:
        found = await world.ledger(uow).deposits(commands)
    return sorted(found, key=lambda transfer: transfer.id)


async def test_deposits_are_found_by_their_id_or_their_idempotency_key_each_once(world: World) -> None:
    by_id, by_key = transfer(1, 1), transfer(2, 2, idempotency_key="two")
    by_both = transfer(3, 3, idempotency_key="three")
    await book(world, by_both, by_id, by_key, transfer(4, 4, idempotency_key="four"), transfer(5, 5))
    found = await deposits(
        world, deposit(1, "unknown"), deposit(9, "two"), deposit(3, "three"), deposit(3, "three"), deposit(8)
    )
    assert found == [by_id, by_key, by_both]
    assert await deposits(world) == []


async def test_only_the_users_own_deposits_are_found(world: World) -> None:
    await book(world, transfer(1, 1, idempotency_key="key"))
    assert await deposits(world, deposit(1, "key", user_id="grace")) == []


async def test_a_transaction_finds_its_own_deposits_and_others_only_committed_ones(world: World) -> None:
    async with world.uow() as uow:
        await world.ledger(uow).add([transfer(1, 1)])
        assert await world.ledger(uow).deposits([deposit(1)]) == [transfer(1, 1)]
        assert await deposits(world, deposit(1)) == []
    assert await deposits(world, deposit(1)) == [transfer(1, 1)]


async def test_adding_no_transfer_adds_none(world: World) -> None:
    await book(world)
    assert await deposits(world, deposit(1)) == []


@pytest.mark.parametrize(
    "second",
    [
        transfer(2, 1),
        transfer(1, 2),
        transfer(2, 2, idempotency_key="key"),
    ],
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


async def test_the_captures_and_refunds_of_orders_are_found_each_once(world: World) -> None:
    paid, other, given_back = capture(1, 1, order=1), capture(2, 2, order=2), refund(3, 3, order=1)
    await book(world, given_back, paid, other, transfer(4, 4))
    assert await of_orders(world, 1, 3, 1) == [paid, given_back]
    assert await of_orders(world, 2) == [other]
    assert await of_orders(world) == []


async def test_what_the_order_of_another_user_paid_is_not_found(world: World) -> None:
    await book(world, capture(1, 1, order=1))
    assert await of_orders(world, 1, user_id="grace") == []


async def test_a_transaction_finds_its_own_refunds_and_others_only_committed_ones(world: World) -> None:
    async with world.uow() as uow:
        await world.ledger(uow).add([refund(1, 1, order=1)])
        own = await world.ledger(uow).of_orders([CAPTURED])
        assert list(own) == [refund(1, 1, order=1)]
        assert await of_orders(world, 1) == []
    assert await of_orders(world, 1) == [refund(1, 1, order=1)]


async def test_what_repeats_the_transfer_of_another_user_is_fine(world: World) -> None:
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
        await world.ledger(uow).deposits([])  # A read comes after what was written.
        second = world.start(book(world, transfer(2, 1)))
        await world.blocked(second)
    with pytest.raises(Contention):
        await ended(second)


def placed(order: int, user_id: str = "ada") -> OrderPlaced:
    return OrderPlaced(order_id=UUID(int=order), user_id=user_id, traceparent="", amount=100, currency="RUB")


CAPTURED = Payment(
    user_id="ada",
    order_id=UUID(int=1),
    decision=Decision.CAPTURED,
    reason=None,
    transfer_id=UUID(int=7),
    created_at=NOW,
)
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


async def test_a_decision_about_the_order_of_another_user_is_not_found(world: World) -> None:
    await decide(world, CAPTURED)
    assert await recorded(world, placed(1, "grace")) == []


async def test_an_order_is_decided_once_for_ever(world: World) -> None:
    await decide(world, CAPTURED)
    with pytest.raises(Contention):
        await decide(world, DECLINED, replace(CAPTURED, decision=Decision.DECLINED))
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


@pytest.mark.parametrize("statement", ["UPDATE transfers SET amount = 7", "DELETE FROM transfers"])
async def test_postgres_refuses_to_change_the_ledger(
    postgres_payments: PostgresWorld, statement: str
) -> None:
    await book(postgres_payments, transfer(1, 1))
    with pytest.raises(asyncpg.RaiseError, match="transfers is append-only"):
        await postgres_payments.watcher.execute(statement)
