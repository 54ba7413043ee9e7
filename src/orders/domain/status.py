"""The statuses of an order, and the rows of its history."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from kernel.domain.value import value


class Status(StrEnum):
    NEW = "NEW"
    FINISHED = "FINISHED"
    CANCELLED = "CANCELLED"
    REFUNDING = "REFUNDING"
    REFUNDED = "REFUNDED"


@value(kw_only=True)
class StatusChanged:
    """One row of an order's history."""

    user_id: str
    order_id: UUID
    sequence: int
    status: Status
    reason: str | None
    at: datetime
