"""An order: placed by a user, decided by a payment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from kernel.domain.errors import Refused
from kernel.domain.events import Event


class Status(StrEnum):
    NEW = "NEW"
    FINISHED = "FINISHED"
    CANCELLED = "CANCELLED"


ASK_AGAIN_FIRST = timedelta(seconds=5)
ASK_AGAIN_MAX = timedelta(seconds=300)

# The place of a status in an order's life is its sequence number in the history.
SEQUENCE = {Status.NEW: 1, Status.FINISHED: 2, Status.CANCELLED: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """A command; it brings the id of its order, so that doing it twice is doing it once."""

    order_id: UUID
    user_id: str
    amount: int
    description: str
    idempotency_key: str | None
    traceparent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced(Event):
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCaptured(Event):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDeclined(Event):
    reason: str


PaymentDecided = PaymentCaptured | PaymentDeclined


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """One row of an order's history."""

    user_id: str
    order_id: UUID
    sequence: int
    status: Status
    reason: str | None
    at: datetime


@dataclass(slots=True, kw_only=True)
class Order:
    id: UUID
    user_id: str
    amount: int
    currency: str
    description: str
    status: Status
    reason: str | None
    idempotency_key: str | None
    ask_again_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def place(cls, command: PlaceOrder, currency: str, now: datetime) -> Self:
        return cls(
            id=command.order_id,
            user_id=command.user_id,
            amount=command.amount,
            currency=currency,
            description=command.description,
            status=Status.NEW,
            reason=None,
            idempotency_key=command.idempotency_key,
            ask_again_at=now + ASK_AGAIN_FIRST,
            created_at=now,
            updated_at=now,
        )

    def placed(self, traceparent: str) -> OrderPlaced:
        return OrderPlaced(
            order_id=self.id,
            user_id=self.user_id,
            traceparent=traceparent,
            amount=self.amount,
            currency=self.currency,
        )

    def settle(self, decided: PaymentDecided, now: datetime) -> list[StatusChanged]:
        """A repeated or late decision changes nothing."""
        if self.status is not Status.NEW:
            return []
        match decided:
            case PaymentCaptured():
                return [self._become(Status.FINISHED, None, now)]
            case PaymentDeclined(reason=reason):
                return [self._become(Status.CANCELLED, reason, now)]

    def ask_again(self, traceparent: str, now: datetime) -> OrderPlaced:
        """The question to payments once more: after 5 s, then 10, 20 … 300 s."""
        self.ask_again_at = now + min(ASK_AGAIN_MAX, now - self.created_at + ASK_AGAIN_FIRST)
        return self.placed(traceparent)

    def status_changed(self) -> StatusChanged:
        """The newest row of the history."""
        return StatusChanged(
            user_id=self.user_id,
            order_id=self.id,
            sequence=SEQUENCE[self.status],
            status=self.status,
            reason=self.reason,
            at=self.updated_at,
        )

    def _become(self, status: Status, reason: str | None, now: datetime) -> StatusChanged:
        self.status, self.reason, self.updated_at = status, reason, now
        self.ask_again_at = None
        return self.status_changed()


@dataclass(frozen=True, slots=True)
class Placed:
    """The outcome of a PlaceOrder that was accepted, now or (`replayed`) at an earlier call with its key."""

    order: Order
    replayed: bool


def outcome(command: PlaceOrder, order: Order) -> Placed | Refused:
    """What the command is told about the order that bears its id or its idempotency key."""
    if order.id == command.order_id:
        return Placed(order, replayed=False)
    if (order.amount, order.description) == (command.amount, command.description):
        return Placed(order, replayed=True)
    return Refused("idempotency_key_reused", "this idempotency key belongs to an order with other values")
