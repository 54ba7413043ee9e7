"""What orders asks payments, and what it hears."""

from datetime import datetime
from uuid import UUID

from kernel.domain.events import Event
from kernel.domain.value import value


@value(kw_only=True)
class OrderEvent(Event):
    """Something that happened to an order. The events of one user stay together."""

    order_id: UUID
    user_id: str

    @property
    def subject(self) -> UUID:
        return self.order_id

    @property
    def key(self) -> str:
        return self.user_id


@value(kw_only=True)
class OrderPlaced(OrderEvent):
    amount: int
    currency: str
    pay_by: datetime | None = None


@value(kw_only=True)
class CancellationRequested(OrderEvent):
    pass


# Every request gets one of the results below, however often it comes, and in whatever order.
PaymentRequest = OrderPlaced | CancellationRequested


@value(kw_only=True)
class PaymentCaptured(OrderEvent):
    pass


@value(kw_only=True)
class PaymentDeclined(OrderEvent):
    reason: str


@value(kw_only=True)
class PaymentRefunded(OrderEvent):
    """The payment was captured, and given back."""


@value(kw_only=True)
class PaymentVoided(OrderEvent):
    """The cancellation came before the payment, which will never be made."""


PaymentResult = PaymentCaptured | PaymentDeclined | PaymentRefunded | PaymentVoided
