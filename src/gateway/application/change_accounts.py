from dataclasses import dataclass
from functools import partial

from gateway.application.until_known import until_known
from gateway.ports.accounts import AccountsService
from kernel.ports.clock import Clock
from kernel.ports.http_answer import HttpAnswer


@dataclass
class ChangeAccounts:
    """Opens accounts and makes deposits. A change with a client's idempotency key is repeated until its
    outcome is known. A change without a key is sent only once.

    Raises Unavailable if nothing was done, OutcomeUnknown if the outcome stayed unknown for 10 s.
    """

    accounts: AccountsService
    clock: Clock

    async def open(self, account: bytes, *, key: str | None) -> HttpAnswer:
        ask = partial(self.accounts.open, account, key=key)
        return await (ask() if key is None else until_known(ask, self.clock))

    async def deposit(self, user_id: str, deposit: bytes, *, key: str | None) -> HttpAnswer:
        ask = partial(self.accounts.deposit, user_id, deposit, key=key)
        return await (ask() if key is None else until_known(ask, self.clock))
