"""What operators do to accounts is recorded once, with its effect, and what users do is not."""

from dataclasses import replace

from kernel.domain.caller import Caller, Role
from tests.memory.operator_record import OPERATOR_RECORD
from tests.unit.clock import id_of
from tests.unit.payments.world import PaymentsWorld, deposit, opening, world_of

ADA = Caller(Role.OPERATOR, "ada")


def recorded(world: PaymentsWorld) -> list[tuple[str, str, str, int]]:
    """Who did what, for whom, and the number of the account or transfer."""
    numbers = {id_of(number): number for number in range(10)}
    return [
        (act.operator, act.did, act.user_id, numbers[act.subject])
        for act in world.database.rows(OPERATOR_RECORD)
    ]


async def test_an_account_that_an_operator_opens_is_recorded_once() -> None:
    world = PaymentsWorld()
    await world.open(opening(8, user_id="bob"))
    by_ada = [
        replace(opening(number, user_id=user), caller=ADA) for number, user in ((1, "alice"), (2, "bob"))
    ]
    for _ in range(2):
        await world.open(*by_ada, replace(opening(3), caller=ADA))
    assert recorded(world) == [("ada", "open_account", "alice", 1)]


async def test_a_deposit_that_an_operator_makes_is_recorded_once() -> None:
    world = await world_of(alice=0)
    for _ in range(2):
        await world.deposit(
            replace(deposit(1, key="k"), caller=ADA),
            replace(deposit(2, key="k"), caller=ADA),
            replace(deposit(3, user_id="nobody"), caller=ADA),
            deposit(4),
        )
    assert recorded(world) == [("ada", "deposit", "alice", 1)]
    assert [act.at for act in world.database.rows(OPERATOR_RECORD)] == [world.transfers()[0].created_at]


async def test_a_deposit_that_is_refused_is_not_recorded() -> None:
    world = await world_of(alice=0)
    await world.deposit(replace(deposit(1, amount=10**18), caller=ADA))
    assert recorded(world) == []
