"""The claims and the stored values of orders that payments gives to the audit."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from kernel.domain.value import value

# The user id and the order id.
Key = tuple[str, UUID]


class Claim(NamedTuple):
    """`claim` is the decision about an order as a text. If both services agree, their claims are equal."""

    user_id: str
    order_id: UUID
    claim: str


@value(kw_only=True)
class KnownPayment:
    """The stored values of an order. `waiting`: a message about the order is in the outbox or parked."""

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
    def known(self) -> bool:
        """Whether payments has a decision about the order, or a transfer."""
        return not (self.decision is None and self.amount is None and self.refunded_at is None)
