"""What operators do to accounts: freeze, thaw, correct; once each, and recorded."""

import pytest

from kernel.domain.caller import ANYONE, Caller, Role
from kernel.domain.errors import Forbidden, ShopError
from kernel.domain.money import BALANCE_MAX_MINOR
from payments.domain.account import Deposited
from payments.domain.commands import CorrectAccount, FreezeAccount
from payments.domain.transfer import CORRECTIONS, Kind
from tests.memory.operator_record import OPERATOR_RECORD
from tests.memory.payments import ACCOUNTS
from tests.unit.clock import id_of
from tests.unit.payments.world import PaymentsWorld, cancellation, deposit, order, world_of

ADA = Caller(Role.OPERATOR, "ada", "gateway")


def freezing(number: int, *, frozen: bool = True, user_id: str = "alice", by: Caller = ADA) -> FreezeAccount:
    return FreezeAccount(
        command_id=id_of(number), caller=by, user_id=user_id, note="chargebacks", frozen=frozen
    )


def correction(
    number: int,
    amount: int,
    *,
    key: str = "k",
    user_id: str = "alice",
    by: Caller = ADA,
    note: str = "paid twice",
) -> CorrectAccount:
    return CorrectAccount(
        transfer_id=id_of(number),
        caller=by,
        user_id=user_id,
        amount=amount,
        note=note,
        idempotency_key=by.key_of_correction(key),
    )


def acts(world: PaymentsWorld) -> list[tuple[str, str, str]]:
    return [(act.did, act.operator, act.note) for act in world.database.rows(OPERATOR_RECORD)]


async def corrected(world: PaymentsWorld, command: CorrectAccount) -> tuple[int, bool] | str:
    """The balance right after it, and whether it was there before; or the code of the refusal."""
    (outcome,) = await world.correct(command)
    if isinstance(outcome, ShopError):
        return outcome.code
    assert isinstance(outcome, Deposited)
    return outcome.transfer.balance_after, outcome.replayed


async def test_a_frozen_account_takes_no_deposit_and_pays_no_order_and_gets_its_refunds() -> None:
    world = await world_of(alice=1000, bob=1000)
    await world.charge(order(1, amount=400))
    await world.freeze(freezing(1))
    (refused,) = await world.deposit(deposit(1))
    assert isinstance(refused, ShopError)
    assert refused.code == "account_frozen"
    assert await world.admit(("alice", 1), ("bob", 1), ("nobody", 1)) == [
        "account_frozen",
        None,
        "account_not_found",
    ]
    await world.charge(order(2), order(3, user_id="bob"), cancellation(1), first_message=2)
    assert [(p.user_id, p.decision.value, p.reason) for p in world.payments()] == [
        ("alice", "captured", None),
        ("alice", "declined", "account_frozen"),
        ("bob", "captured", None),
    ]
    assert world.balances() == {"alice": 1000, "bob": 0}
    assert world.hold_together()


async def test_a_deposit_that_was_made_before_the_freeze_is_told_again() -> None:
    world = await world_of(alice=0)
    await world.deposit(deposit(1, key="k"))
    await world.freeze(freezing(1))
    (again,) = await world.deposit(deposit(2, key="k"))
    assert isinstance(again, Deposited)
    assert again.replayed


async def test_an_account_is_frozen_and_thawed_as_often_as_an_operator_likes_and_each_is_recorded_once() -> (
    None
):
    world = await world_of(alice=0)
    since = []
    for number, frozen in enumerate((True, True, False, False, True), 1):
        for _ in range(2):  # The answer was lost, and the call came again.
            await world.freeze(freezing(number, frozen=frozen))
        since.append([account.is_frozen for account in world.database.rows(ACCOUNTS)])
    assert since == [[True], [True], [False], [False], [True]]
    assert acts(world) == [
        ("freeze_account", "ada", "chargebacks"),
        ("unfreeze_account", "ada", "chargebacks"),
        ("freeze_account", "ada", "chargebacks"),
    ]


async def test_a_correction_moves_money_to_or_from_an_account_of_its_own_once_a_key() -> None:
    world = await world_of(alice=1000)
    assert await corrected(world, correction(1, -300)) == (700, False)
    assert await corrected(world, correction(1, -300)) == (700, False)  # The same call again.
    assert await corrected(world, correction(2, -300)) == (700, True)  # Another call with its key.
    assert await corrected(world, correction(3, -299)) == "idempotency_key_reused"
    assert await corrected(world, correction(3, -300, note="paid once")) == "idempotency_key_reused"
    assert await corrected(world, correction(4, 50, key="other")) == (750, False)
    _, taken, given = world.transfers()
    assert (taken.kind, taken.debit_account, taken.credit_account) == (
        Kind.CORRECTION,
        "user:alice",
        CORRECTIONS,
    )
    assert (given.kind, given.debit_account, given.credit_account) == (
        Kind.CORRECTION,
        CORRECTIONS,
        "user:alice",
    )
    assert (taken.change, given.change) == (-300, 50)
    assert acts(world) == [("correct_account", "ada", "paid twice")] * 2
    assert world.hold_together()


@pytest.mark.parametrize(
    ("amount", "user", "code"),
    [
        (-1001, "alice", "insufficient_funds"),
        (BALANCE_MAX_MINOR, "alice", "balance_limit"),
        (1, "nobody", "account_not_found"),
    ],
)
async def test_a_correction_that_is_refused_leaves_nothing(amount: int, user: str, code: str) -> None:
    world = await world_of(alice=1000)
    assert await corrected(world, correction(1, amount, user_id=user)) == code
    assert (world.balances(), acts(world), len(world.transfers())) == ({"alice": 1000}, [], 1)


async def test_the_key_of_a_correction_meets_no_key_of_a_deposit() -> None:
    world = await world_of(alice=0)
    for caller in (ANYONE, Caller(Role.USER, "alice"), ADA):
        key = caller.scoped("k", "alice")
        assert ADA.key_of_correction("k") != key
        assert ADA.key_of_correction("k") != caller.scoped("correction", "alice")
    await world.deposit(deposit(1, key="k"))
    assert await corrected(world, correction(2, 5)) == (1005, False)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OPERATOR}))
async def test_nobody_else_freezes_or_corrects(role: Role) -> None:
    world = await world_of(alice=1000)
    caller = Caller(role, "alice", "gateway")
    with pytest.raises(Forbidden):
        await world.freeze(freezing(1, by=caller))
    with pytest.raises(Forbidden):
        await world.correct(correction(1, 1, by=caller))
    assert acts(world) == []


def test_in_open_mode_anyone_acts_as_an_operator() -> None:
    assert ANYONE.as_operator() == Caller(Role.OPERATOR, "anyone")
    assert ADA.as_operator() == ADA
    for role in (Role.USER, Role.VIEWER, Role.SERVICE):
        with pytest.raises(Forbidden):
            Caller(role, "alice").as_operator()
