from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from gateway.domain.orders import Change, Outcome, PlacementRequest
from kernel.ports.http_answer import HttpAnswer


class OrdersService(Protocol):
    """The service that keeps the orders. Every read raises Unavailable where it gives no answer."""

    async def place(self, orders: Sequence[PlacementRequest]) -> Sequence[Outcome]:
        """One outcome an order, in order; to ask again with the same orders is safe.

        Raises Unavailable where nothing was done, and OutcomeUnknown where the answer was lost.
        """
        ...

    async def cancel(self, order_id: UUID) -> HttpAnswer:
        """To ask again is safe. Raises as `place` does."""
        ...

    async def get(self, order_id: UUID, *, unless: str | None) -> HttpAnswer:
        """`unless` names, as If-None-Match, the versions that the caller has: for those the answer is 304."""
        ...

    async def history(self, order_id: UUID, *, after: int | None) -> HttpAnswer: ...

    async def changes(self, order_ids: Sequence[UUID]) -> Sequence[Sequence[Change] | Exception]:
        """All changes of each order so far, in order; none where there is no such order, and Unavailable for
        one that cannot be read while others can.

        Raises Unavailable or OutcomeUnknown where there is no answer.
        """
        ...

    async def page(
        self, *, user_id: str | None, status: str | None, after: UUID | None, limit: int
    ) -> HttpAnswer: ...
