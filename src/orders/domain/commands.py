"""The commands that orders accepts."""

from datetime import datetime
from uuid import UUID

from kernel.domain.caller import Caller
from kernel.domain.value import value

Identity = UUID | tuple[str, str]
"""The user's idempotency key, or else the order id. Placements with the same identity place one order."""


@value(kw_only=True)
class Placement:
    """Places an order. The command carries the order's id, so a repeated command places no second order."""

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
        """The id by which spans of the use case name the order."""
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
    """The operator's reason."""

    @property
    def subject(self) -> UUID:
        """The id by which spans of the use case name the order."""
        return self.order_id
