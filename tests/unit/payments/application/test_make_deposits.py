"""MakeDeposits: each deposit once, and the balance that it was told of then."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kernel.domain.caller import Caller, Role
from kernel.domain.errors import ShopError
from kernel.domain.money import BALANCE_MAX_MINOR
from payments.application.make_deposits import MakeDeposits
from payments.domain.account import Deposited
from payments.domain.commands import Deposit
from tests.unit.payments.world import deposit, world_of


def summary(outcomes: Sequence[Deposited | ShopError]) -> list[object]:
    """The balance right after the deposit, `again` where it was replayed, or the code."""
    return [
        outcome.code
        if isinstance(outcome, ShopError)
        else ("again", outcome.transfer.balance_after)
        if outcome.replayed
        else outcome.transfer.balance_after
        for outcome in outcomes
    ]


async def test_deposits_of_one_batch_add_up_and_each_is_told_its_own_balance() -> None:
    world = await world_of(alice=0, bob=0)
    outcomes = await world.deposit(
        deposit(1, amount=10), deposit(2, amount=5, user_id="bob"), deposit(3, amount=1)
    )
    assert summary(outcomes) == [10, 5, 11]
    assert world.balances() == {"alice": 11, "bob": 5}
    assert [(t.user_id, t.sequence, t.balance_after) for t in world.transfers()] == [
        ("alice", 1, 10),
        ("alice", 2, 11),
        ("bob", 1, 5),
    ]


async def test_a_deposit_for_a_user_without_an_account_is_refused_and_its_neighbours_are_made() -> None:
    world = await world_of(alice=0)
    assert summary(await world.deposit(deposit(1, user_id="nobody"), deposit(2))) == [
        "account_not_found",
        1000,
    ]
    assert world.balances() == {"alice": 1000}


async def test_a_deposit_above_the_limit_is_refused_and_a_smaller_one_after_it_is_made() -> None:
    world = await world_of(alice=BALANCE_MAX_MINOR - 10)
    outcomes = await world.deposit(deposit(1, amount=11), deposit(2, amount=10), deposit(3, amount=1))
    assert summary(outcomes) == ["balance_limit", BALANCE_MAX_MINOR, "balance_limit"]
    assert world.hold_together()


async def test_users_do_not_top_up_their_own_accounts_where_operators_deposit() -> None:
    world = await world_of(alice=0)
    uow = world.service.uow()
    by_operators = MakeDeposits(
        uow,
        world.service.accounts(uow),
        world.service.ledger(uow),
        world.service.record(uow),
        world.clock,
        by_users=False,
    )
    callers = [Caller(Role.USER, "alice"), Caller(Role.VIEWER, "vera"), Caller(Role.OPERATOR, "olga")]
    deposits = [replace(deposit(number), caller=caller) for number, caller in enumerate(callers, 1)]
    assert summary(await by_operators(deposits)) == ["forbidden", "forbidden", 1000]
    assert summary(await world.deposit(replace(deposit(4), caller=callers[0]))) == [2000]


async def test_the_same_command_again_deposits_nothing_and_is_told_the_same() -> None:
    world = await world_of(alice=0)
    await world.deposit(deposit(1))
    await world.deposit(deposit(2))
    assert summary(await world.deposit(deposit(1))) == [1000]
    assert world.balances() == {"alice": 2000}


async def test_the_same_key_and_amount_get_the_first_deposit_with_its_balance_of_then() -> None:
    world = await world_of(alice=0)
    await world.deposit(deposit(1, key="k"), deposit(2))
    assert summary(await world.deposit(deposit(3, key="k"))) == [("again", 1000)]
    assert world.balances() == {"alice": 2000}


async def test_a_key_twice_in_one_batch_deposits_once() -> None:
    world = await world_of(alice=0)
    outcomes = await world.deposit(deposit(1, key="k"), deposit(2, key="k"), deposit(3, key="k", amount=1))
    assert summary(outcomes) == [1000, ("again", 1000), "idempotency_key_reused"]
    assert world.balances() == {"alice": 1000}


deposits = st.builds(
    deposit,
    st.integers(1, 1000),
    user_id=st.sampled_from(["alice", "bob", "nobody"]),
    amount=st.sampled_from([1, 2, BALANCE_MAX_MINOR]),
    key=st.none() | st.sampled_from("kl"),
)


@given(st.lists(deposits, max_size=12, unique_by=lambda command: command.transfer_id), st.integers(0, 12))
async def test_the_place_where_a_batch_is_split_changes_no_outcome(batch: list[Deposit], place: int) -> None:
    whole, split = await world_of(alice=0, bob=5), await world_of(alice=0, bob=5)
    together = summary(await whole.deposit(*batch))
    apart = summary(await split.deposit(*batch[:place])) + summary(await split.deposit(*batch[place:]))
    assert apart == together
    assert split.transfers() == whole.transfers()
    assert whole.hold_together()
