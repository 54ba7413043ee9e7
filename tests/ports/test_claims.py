"""The claims of payments: one for each decision, in key order; and all that it knows of given orders."""

from dataclasses import replace
from uuid import UUID

import pytest

from kernel.domain.events import Unhandled
from payments.domain.claims import Claim, KnownPayment
from payments.domain.payment import Decision, Payment
from payments.domain.transfer import REVENUE, Kind, Transfer
from tests.ports.payments import CAPTURED, NOW, account, open_accounts
from tests.ports.test_parked import park
from tests.ports.worlds import World


@pytest.fixture
def world(payments_world: World) -> World:
    return payments_world


DECLINED = replace(
    CAPTURED, order_id=UUID(int=2), decision=Decision.DECLINED, reason="insufficient_funds", transfer_id=None
)
VOIDED = replace(DECLINED, user_id="grace", order_id=UUID(int=4), decision=Decision.VOIDED, reason=None)
REFUNDED = replace(CAPTURED, user_id="grace", order_id=UUID(int=3))
CLAIMS = [
    Claim("ada", UUID(int=1), "captured 500 RUB"),
    Claim("ada", UUID(int=2), "declined insufficient_funds"),
    Claim("grace", UUID(int=3), "refunded 500 RUB"),
    Claim("grace", UUID(int=4), "voided "),
]


def transfer(payment: Payment, number: int, kind: Kind) -> Transfer:
    user = f"user:{payment.user_id}"
    debit, credit = (user, REVENUE) if kind is Kind.CAPTURE else (REVENUE, user)
    return Transfer(
        user_id=payment.user_id,
        sequence=number,
        id=UUID(int=6 + number),
        kind=kind,
        debit_account=debit,
        credit_account=credit,
        amount=500,
        order_id=payment.order_id,
        idempotency_key=None,
        balance_after=500,
        created_at=NOW,
    )


async def decide_all(world: World) -> None:
    await open_accounts(world, account("ada"), account("grace", 2))
    async with world.uow() as uow:
        await world.payments(uow).add([CAPTURED, DECLINED, VOIDED, REFUNDED])
        moved = [transfer(CAPTURED, 1, Kind.CAPTURE), transfer(REFUNDED, 1, Kind.CAPTURE)]
        await world.ledger(uow).add([*moved, transfer(REFUNDED, 2, Kind.REFUND)])


async def test_each_decision_is_one_claim_in_the_order_of_user_and_order(world: World) -> None:
    assert await world.claims().page(None, None, count_max=10) == []
    await decide_all(world)
    assert await world.claims().page(None, None, count_max=10) == CLAIMS


@pytest.mark.parametrize(("after", "until"), [(0, 3), (0, 1), (None, 2), (2, None), (3, None), (1, 1)])
async def test_a_page_is_behind_one_key_and_up_to_another(
    world: World, after: int | None, until: int | None
) -> None:
    await decide_all(world)
    start, end = (None if n is None else CLAIMS[n][:2] for n in (after, until))
    wanted = CLAIMS[0 if after is None else after + 1 : None if until is None else until + 1]
    assert await world.claims().page(start, end, count_max=10) == wanted
    assert await world.claims().page(start, end, count_max=1) == wanted[:1]


async def test_everything_that_is_known_of_an_order_is_told(world: World) -> None:
    await decide_all(world)
    await park(world, Unhandled(None, "a", str(UUID(int=2)), "unknown", "", b"{}"))
    keys = [("grace", UUID(int=3)), ("ada", UUID(int=2)), ("nobody", UUID(int=9))]
    found = {(one.user_id, one.order_id): one for one in await world.claims().known(keys)}
    refunded, declined, unknown = (found[key] for key in keys)
    assert refunded == KnownPayment(
        user_id="grace",
        order_id=UUID(int=3),
        decision="captured",
        reason=None,
        created_at=NOW,
        amount=500,
        currency="RUB",
        refunded_at=NOW,
        waiting=False,
    )
    assert (declined.decision, declined.reason, declined.waiting) == ("declined", "insufficient_funds", True)
    assert [one.known for one in (refunded, declined, unknown)] == [True, True, False]
