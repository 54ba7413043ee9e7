"""What orders asks payments, and what it hears."""

from dataclasses import dataclass

from kernel.domain.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced(Event):
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationRequested(Event):
    pass


# Every question gets one of the answers below, however often it comes, and in whatever order.
Question = OrderPlaced | CancellationRequested


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCaptured(Event):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDeclined(Event):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefunded(Event):
    """The payment was captured, and given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVoided(Event):
    """The cancellation came before the payment, which will never be made."""


PaymentDecided = PaymentCaptured | PaymentDeclined | PaymentRefunded | PaymentVoided
