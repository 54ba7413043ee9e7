"""What may be asked of orders."""

from datetime import datetime
from uuid import UUID

from kernel.domain.caller import Caller
from kernel.domain.value import value

Identity = UUID | tuple[str, str]
"""What makes two calls place one order: the idempotency key of the user, else the id of the order."""


@value(kw_only=True)
class Placement:
    """A command; it brings the id of its order, so that doing it twice is doing it once."""

    order_id: UUID
    caller: Caller
    user_id: str
    amount: int
    description: str
    idempotency_key: str | None
    pay_by: datetime | None = None
    traceparent: str
    request_id: str = ""

    @property
    def subject(self) -> UUID:
        return self.order_id

    @property
    def identity(self) -> Identity:
        return self.order_id if self.idempotency_key is None else (self.user_id, self.idempotency_key)


@value(kw_only=True)
class CancelOrder:
    order_id: UUID
    caller: Caller
    user_id: str
    traceparent: str
    request_id: str = ""
    note: str = ""
    """Why an operator does it."""

    @property
    def subject(self) -> UUID:
        return self.order_id
