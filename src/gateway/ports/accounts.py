from typing import Protocol

from gateway.ports.answer import Answer


class AccountsService(Protocol):
    """The service that keeps the accounts. What changes something is asked for once, and never again.

    It raises Unavailable where nothing was done, and OutcomeUnknown where the answer was lost.
    """

    async def open(self, account: bytes, *, traceparent: str) -> Answer:
        """`account` is the JSON body of the call."""
        ...

    async def deposit(self, user_id: str, deposit: bytes, *, traceparent: str) -> Answer:
        """`deposit` is the JSON body of the call."""
        ...

    async def get(self, user_id: str, *, traceparent: str) -> Answer:
        """Raises Unavailable where the service gives no answer."""
        ...
