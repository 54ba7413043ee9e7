"""What payments tells the audit about orders."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from kernel.domain.value import value

# The user id and the order id.
Key = tuple[str, UUID]


class Claim(NamedTuple):
    """What was decided about an order, as a text. If both services agree, orders writes the same text."""

    user_id: str
    order_id: UUID
    claim: str


@value(kw_only=True)
class KnownPayment:
    """Everything known of an order. `waiting`: a message about it is in the outbox, or parked."""

    user_id: str
    order_id: UUID
    decision: str | None
    reason: str | None
    created_at: datetime | None
    amount: int | None
    currency: str | None
    refunded_at: datetime | None
    waiting: bool

    @property
    def is_known(self) -> bool:
        """Whether payments knows the order: by a decision, or by transfers alone."""
        return not (self.decision is None and self.amount is None and self.refunded_at is None)
