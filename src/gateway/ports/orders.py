from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from gateway.domain.orders import Change, Outcome, PlacementRequest
from kernel.ports.http_answer import HttpAnswer


class OrdersService(Protocol):
    """The service that keeps the orders. Every read raises Unavailable when there is no answer."""

    async def place(self, orders: Sequence[PlacementRequest]) -> Sequence[Outcome]:
        """One outcome per order, in the same order. The same orders may be sent again safely.

        Raises Unavailable when nothing was done, and OutcomeUnknown when the answer was lost.
        """
        ...

    async def cancel(self, order_id: UUID) -> HttpAnswer:
        """May be repeated safely. Raises as `place` does."""
        ...

    async def get(self, order_id: UUID, *, unless: str | None) -> HttpAnswer:
        """`unless` is an If-None-Match: the answer is 304 when it names the order's present version."""
        ...

    async def history(self, order_id: UUID, *, after: int | None) -> HttpAnswer: ...

    async def changes(self, order_ids: Sequence[UUID]) -> Sequence[Sequence[Change] | Exception]:
        """All changes of each order so far, oldest first. An unknown order has no changes. An order that
        cannot be read while others can has Unavailable instead.

        Raises Unavailable or OutcomeUnknown when there is no answer.
        """
        ...

    async def page(
        self, *, user_id: str | None, status: str | None, after: UUID | None, limit: int
    ) -> HttpAnswer: ...
