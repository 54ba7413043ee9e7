"""ReadAccounts: a balance of a time that is over; what is another's, or was not there yet, does not exist."""

from datetime import timedelta

import pytest

from kernel.domain.caller import ANYONE, Caller, Role
from kernel.domain.errors import Invalid, NotFound
from payments.application.read_accounts import ReadAccounts
from tests.memory.payments import MemoryOpenedAccounts, MemoryStatements
from tests.unit.payments.world import PaymentsWorld, deposit, opening, order

SECOND = timedelta(seconds=1)
OTHER, VIEWER = Caller(Role.USER, "bob"), Caller(Role.VIEWER, "vera")


async def world_with_a_life() -> PaymentsWorld:
    """An account that was opened at the start; three seconds in turn bring 10.00, the fourth takes 3.00."""
    world = PaymentsWorld()
    await world.open(opening(1))
    for number in range(2, 5):
        world.clock.advance(1)
        await world.deposit(deposit(number))
    world.clock.advance(1)
    await world.charge(order(5, amount=300))
    return world


def reading(world: PaymentsWorld) -> ReadAccounts:
    return ReadAccounts(MemoryOpenedAccounts(world.database), MemoryStatements(world.database), world.clock)


async def test_the_balance_of_a_time_is_that_after_the_last_transfer_until_then() -> None:
    world = await world_with_a_life()
    read, now = reading(world), world.clock.now()
    for caller in (ANYONE, VIEWER, Caller(Role.USER, "alice")):
        found = [
            (await read.get_at(caller, "alice", now - before)).balance
            for before in (0 * SECOND, 0.5 * SECOND, SECOND, 2.5 * SECOND, 4 * SECOND)
        ]
        assert found == [2700, 3000, 3000, 1000, 0]


async def test_all_else_of_the_account_is_as_it_is_now() -> None:
    world = await world_with_a_life()
    now, then = await reading(world).get(ANYONE, "alice"), world.clock.now() - SECOND
    found = await reading(world).get_at(ANYONE, "alice", then)
    assert (found.id, found.user_id, found.currency, found.created_at) == (
        *(now.id, "alice", "RUB", now.created_at),
    )


async def test_before_it_was_opened_there_was_no_account_and_anothers_there_never_is() -> None:
    world = await world_with_a_life()
    now = world.clock.now()
    before = now - 4 * SECOND - timedelta(microseconds=1)
    for caller, user_id, at in ((ANYONE, "alice", before), (OTHER, "alice", now), (ANYONE, "nobody", now)):
        with pytest.raises(NotFound):
            await reading(world).get_at(caller, user_id, at)


async def test_a_time_to_come_is_refused_whoever_asks_about_whom() -> None:
    world = await world_with_a_life()
    for caller, user_id in ((ANYONE, "alice"), (OTHER, "alice"), (ANYONE, "nobody")):
        with pytest.raises(Invalid, match="at: must not be in the future"):
            await reading(world).get_at(caller, user_id, world.clock.now() + timedelta(microseconds=1))
