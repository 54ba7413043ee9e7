from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

from kernel.domain.events import Received, Unhandled
from kernel.ports.inbox import Inbox
from kernel.ports.outbox import Outbox
from kernel.ports.unit_of_work import UnitOfWork
from points.domain import PaymentCaptured, PointsEarned


class Points(Protocol):
    async def add(self, points: Mapping[str, int]) -> None:
        """Adds to the points that the users have."""
        ...


class EarnPoints:
    """Gives a user points for each captured payment, once."""

    def __init__(
        self,
        uow: UnitOfWork,
        inbox: Inbox,
        points: Points,
        outbox: Outbox[PointsEarned],
        points_per_payment: int,
    ) -> None:
        self.uow = uow
        self.inbox = inbox
        self.points = points
        self.outbox = outbox
        self.points_per_payment = points_per_payment

    async def __call__(self, received: Sequence[Received[PaymentCaptured]]) -> list[Unhandled]:
        async with self.uow:
            facts = [item.fact for item in await self.inbox.claim(received)]
            payments = Counter(fact.user_id for fact in facts)
            await self.points.add({user: count * self.points_per_payment for user, count in payments.items()})
            await self.outbox.add([self._earned(fact) for fact in facts])
        return []

    def _earned(self, fact: PaymentCaptured) -> PointsEarned:
        return PointsEarned(
            order_id=fact.order_id,
            user_id=fact.user_id,
            points=self.points_per_payment,
            traceparent=fact.traceparent,
        )
