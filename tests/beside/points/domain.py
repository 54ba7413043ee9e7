from kernel.domain.events import OrderEvent
from kernel.domain.value import value


@value(kw_only=True)
class PaymentCaptured(OrderEvent):
    pass


@value(kw_only=True)
class PointsEarned(OrderEvent):
    points: int
