"""Accounts, transfers and payments, and how the suites of their ports store them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from payments.domain.account import Account
from payments.domain.payment import Decision, Payment
from tests.ports.worlds import World

NOW = datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


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


CAPTURED = Payment(
    user_id="ada",
    order_id=UUID(int=1),
    decision=Decision.CAPTURED,
    reason=None,
    transfer_id=UUID(int=7),
    created_at=NOW,
)
