from kernel.contracts.messaging import Messaging
from points.contract import PAYMENT_CAPTURED, POINTS_EARNED, PointsEarnedV1

MESSAGING = Messaging(
    service="points",
    subject="order",
    publishes={POINTS_EARNED: PointsEarnedV1},
    subscribes=[PAYMENT_CAPTURED],
)
