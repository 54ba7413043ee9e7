"""OpenAccounts: one account a user at most."""

from collections.abc import Sequence

from kernel.domain.errors import ShopError
from payments.domain.account import Opened
from tests.memory.payments import ACCOUNTS
from tests.unit.clock import id_of
from tests.unit.payments.world import PaymentsWorld, opening


def summary(outcomes: Sequence[Opened | ShopError]) -> list[object]:
    return [
        outcome.code
        if isinstance(outcome, ShopError)
        else "again"
        if outcome.replayed
        else outcome.account.user_id
        for outcome in outcomes
    ]


async def test_each_new_user_gets_an_empty_account() -> None:
    world = PaymentsWorld()
    assert summary(await world.open(opening(1), opening(2, user_id="bob"))) == ["alice", "bob"]
    assert world.balances() == {"alice": 0, "bob": 0}
    assert {row.currency for row in world.database.rows(ACCOUNTS)} == {"RUB"}


async def test_a_second_account_is_refused() -> None:
    world = PaymentsWorld()
    await world.open(opening(1))
    assert summary(await world.open(opening(2), opening(3, user_id="bob"))) == ["account_exists", "bob"]
    assert [row.id for row in world.database.rows(ACCOUNTS)] == [id_of(1), id_of(3)]


async def test_of_several_commands_for_one_user_in_a_batch_the_first_one_wins() -> None:
    world = PaymentsWorld()
    assert summary(await world.open(opening(1), opening(2), opening(3))) == [
        "alice",
        "account_exists",
        "account_exists",
    ]


async def test_the_same_command_again_is_told_the_same() -> None:
    world = PaymentsWorld()
    assert summary(await world.open(opening(1))) == summary(await world.open(opening(1))) == ["alice"]


async def test_the_key_that_opened_the_account_gets_it_again_and_any_other_key_does_not() -> None:
    world = PaymentsWorld()
    await world.open(opening(1, key="k"))
    assert summary(await world.open(opening(2, key="k"), opening(3, key="l"), opening(4))) == [
        "again",
        "account_exists",
        "account_exists",
    ]


async def test_the_same_key_twice_in_one_batch_opens_one_account_and_finds_it() -> None:
    world = PaymentsWorld()
    assert summary(await world.open(opening(1, key="k"), opening(2, key="k"))) == ["alice", "again"]
    assert [row.id for row in world.database.rows(ACCOUNTS)] == [id_of(1)]
