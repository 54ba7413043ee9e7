from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from gateway.domain.orders import Change, Outcome, PlacementRequest
from kernel.ports.http_answer import HttpAnswer


class OrdersService(Protocol):
    """The service that keeps the orders. Every read raises Unavailable if there is no answer."""

    async def place(self, orders: Sequence[PlacementRequest]) -> Sequence[Outcome]:
        """One outcome per order, in the same order. The same orders may be sent again safely.

        Raises Unavailable if nothing was done, and OutcomeUnknown if the answer was lost.
        """
        ...

    async def cancel(self, order_id: UUID) -> HttpAnswer:
        """Cancels the order. The call may be repeated safely. Raises the same errors as `place`."""
        ...

    async def get(self, order_id: UUID, *, unless: str | None) -> HttpAnswer:
        """Reads the order. The answer is 304 if the If-None-Match `unless` names the present version."""
        ...

    async def history(self, order_id: UUID, *, after: int | None) -> HttpAnswer: ...

    async def changes(self, order_ids: Sequence[UUID]) -> Sequence[Sequence[Change] | Exception]:
        """All changes of each order so far, oldest first. An unknown order has no changes. If only
        some orders cannot be read, each of them has Unavailable instead of its changes.

        Raises Unavailable or OutcomeUnknown if there is no answer.
        """
        ...

    async def page(
        self, *, user_id: str | None, status: str | None, after: UUID | None, limit: int
    ) -> HttpAnswer: ...
