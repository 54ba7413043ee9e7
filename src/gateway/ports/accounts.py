from datetime import datetime
from typing import Protocol

from kernel.ports.http_answer import HttpAnswer


class AccountsService(Protocol):
    """The service that keeps the accounts. Every read raises Unavailable if there is no answer.

    A change raises Unavailable if nothing was done, and OutcomeUnknown if the answer was lost. A change
    with an idempotency key may be repeated safely.
    """

    async def open(self, account: bytes, *, key: str | None) -> HttpAnswer:
        """Opens an account. `account` is the JSON body of the call."""
        ...

    async def deposit(self, user_id: str, deposit: bytes, *, key: str | None) -> HttpAnswer:
        """Makes a deposit. `deposit` is the JSON body of the call."""
        ...

    async def get(self, user_id: str, *, at: datetime | None) -> HttpAnswer: ...

    async def transactions(self, user_id: str, *, after: int | None, limit: int) -> HttpAnswer: ...
