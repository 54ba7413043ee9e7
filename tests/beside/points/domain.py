from uuid import UUID

from kernel.domain.events import Event
from kernel.domain.value import value


@value(kw_only=True)
class OrderEvent(Event):
    order_id: UUID
    user_id: str

    @property
    def subject(self) -> UUID:
        return self.order_id

    @property
    def key(self) -> str:
        return self.user_id


@value(kw_only=True)
class PaymentCaptured(OrderEvent):
    pass


@value(kw_only=True)
class PointsEarned(OrderEvent):
    points: int
