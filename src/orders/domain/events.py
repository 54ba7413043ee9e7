"""What orders asks payments, and what it hears."""

from kernel.domain.events import Event
from kernel.domain.value import value


@value(kw_only=True)
class OrderPlaced(Event):
    amount: int
    currency: str


@value(kw_only=True)
class CancellationRequested(Event):
    pass


# Every question gets one of the answers below, however often it comes, and in whatever order.
Question = OrderPlaced | CancellationRequested


@value(kw_only=True)
class PaymentCaptured(Event):
    pass


@value(kw_only=True)
class PaymentDeclined(Event):
    reason: str


@value(kw_only=True)
class PaymentRefunded(Event):
    """The payment was captured, and given back."""


@value(kw_only=True)
class PaymentVoided(Event):
    """The cancellation came before the payment, which will never be made."""


PaymentDecided = PaymentCaptured | PaymentDeclined | PaymentRefunded | PaymentVoided
