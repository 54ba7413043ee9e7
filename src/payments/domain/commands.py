"""The commands on accounts."""

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
    """An operator freezes or unfreezes an account. A frozen account pays no order and takes no deposit."""

    command_id: UUID
    caller: Caller
    user_id: str
    note: str
    frozen: bool
    """False unfreezes the account."""


@value(kw_only=True)
class CorrectAccount:
    """An operator adds an amount, which may be negative, to a wrong balance."""

    transfer_id: UUID
    caller: Caller
    user_id: str
    amount: int
    note: str
    idempotency_key: str
