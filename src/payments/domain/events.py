"""What payments hears of orders, and what it answers."""

from uuid import UUID

from kernel.domain.events import Event
from kernel.domain.value import value


@value(kw_only=True)
class OrderPlaced(Event):
    amount: int
    currency: str


@value(kw_only=True)
class CancellationRequested(Event):
    pass


# Every question gets an answer, however often it comes, and in whatever order.
Question = OrderPlaced | CancellationRequested


@value(kw_only=True)
class PaymentCaptured(Event):
    transfer_id: UUID


@value(kw_only=True)
class PaymentDeclined(Event):
    reason: str


@value(kw_only=True)
class PaymentRefunded(Event):
    """The payment was captured, and given back."""


@value(kw_only=True)
class PaymentVoided(Event):
    """The cancellation came before the order, which will never be paid."""


PaymentDecided = PaymentCaptured | PaymentDeclined | PaymentRefunded | PaymentVoided
