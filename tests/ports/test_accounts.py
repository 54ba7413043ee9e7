"""What every store of accounts promises."""

from dataclasses import replace

import pytest
from asyncpg import CheckViolationError

from payments.domain.account import Standing
from tests.memory.clock import EPOCH
from tests.memory.database import CheckViolation
from tests.ports.payments import account, open_accounts
from tests.ports.worlds import World, ended, failing, undone


@pytest.fixture
def world(payments_world: World) -> World:
    return payments_world


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


async def test_a_rollback_undoes_a_save(world: World) -> None:
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


async def test_a_freeze_is_seen_by_whoever_reads_or_locks_and_a_balance_saved_beside_it_leaves_it(
    world: World,
) -> None:
    await open_accounts(world, account("ada", balance=5), account("grace", 2))
    async with world.uow() as uow:
        frozen = (await world.accounts(uow).lock({"ada"}))["ada"]
        frozen.frozen_at = EPOCH
        await world.accounts(uow).save_frozen(frozen)
    assert await world.opened().standings({"ada", "grace", "nobody"}) == {
        "ada": Standing(5, frozen=True),
        "grace": Standing(0, frozen=False),
    }
    async with world.uow() as uow:
        await world.accounts(uow).save([account("ada", balance=7)])
        locked = await world.accounts(uow).lock({"ada"})
    assert locked == await world.opened().find({"ada"})
    assert (locked["ada"].frozen_at, locked["ada"].balance) == (EPOCH, 7)
