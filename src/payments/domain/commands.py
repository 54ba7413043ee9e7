"""What may be asked of accounts."""

from uuid import UUID

from kernel.domain.caller import Caller
from kernel.domain.value import value


@value(kw_only=True)
class OpenAccount:
    account_id: UUID
    caller: Caller
    user_id: str
    idempotency_key: str | None


@value(kw_only=True)
class Deposit:
    transfer_id: UUID
    caller: Caller
    user_id: str
    amount: int
    idempotency_key: str | None


@value(kw_only=True)
class FreezeAccount:
    """By an operator: no order of the user is paid, and no deposit taken, until the account is thawed."""

    command_id: UUID
    caller: Caller
    user_id: str
    note: str
    frozen: bool
    """False: the account is thawed."""


@value(kw_only=True)
class CorrectAccount:
    """By an operator: adds an amount, which may be below 0, to a balance that was wrong."""

    transfer_id: UUID
    caller: Caller
    user_id: str
    amount: int
    note: str
    idempotency_key: str
