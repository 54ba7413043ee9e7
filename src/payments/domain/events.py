"""What payments hears of orders, and what it answers."""

from dataclasses import dataclass
from uuid import UUID

from kernel.domain.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced(Event):
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationRequested(Event):
    pass


# Every question gets an answer, however often it comes, and in whatever order.
Question = OrderPlaced | CancellationRequested


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCaptured(Event):
    transfer_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDeclined(Event):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefunded(Event):
    """The payment was captured, and given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVoided(Event):
    """The cancellation came before the order, which will never be paid."""


PaymentDecided = PaymentCaptured | PaymentDeclined | PaymentRefunded | PaymentVoided
