"""The requests that orders sends to payments, and the results that payments sends back."""

from datetime import datetime

from kernel.domain.events import OrderEvent
from kernel.domain.value import value


@value(kw_only=True)
class OrderPlaced(OrderEvent):
    amount: int
    currency: str
    pay_by: datetime | None = None


@value(kw_only=True)
class CancellationRequested(OrderEvent):
    pass


# Payments answers each request with one of the results below, even if requests are repeated or reordered.
PaymentRequest = OrderPlaced | CancellationRequested


@value(kw_only=True)
class PaymentCaptured(OrderEvent):
    pass


@value(kw_only=True)
class PaymentDeclined(OrderEvent):
    reason: str


@value(kw_only=True)
class PaymentRefunded(OrderEvent):
    """The order was paid, and the money was given back."""


@value(kw_only=True)
class PaymentVoided(OrderEvent):
    """The cancellation reached payments before the order. The order will never be paid."""


PaymentResult = PaymentCaptured | PaymentDeclined | PaymentRefunded | PaymentVoided
