from collections.abc import Sequence
from uuid import UUID

import aiohttp

from gateway import wire
from gateway.adapters.outbound.http_service import HttpService
from gateway.domain.orders import Change, Fate, PlaceOrder
from kernel.adapters import trace_context
from kernel.contracts.values import decoder, encode
from kernel.domain.errors import Unavailable
from kernel.ports.answer import Answer

ROUTE = ("api", "Order")


class UnexpectedAnswer(Exception):
    """The orders service did not understand, or failed at, some order of a batch."""


class HttpOrders:
    def __init__(self, session: aiohttp.ClientSession, orders_url: str) -> None:
        self._service = HttpService(session, orders_url, "orders")

    async def place(self, orders: Sequence[PlaceOrder]) -> Sequence[Fate]:
        body = b"[" + b",".join(order.body for order in orders) + b"]"
        traces = trace_context.list_of([order.traceparent for order in orders])
        trace = trace_context.traceparent(trace_context.CURRENT.get())
        answer = await self._service.write(*ROUTE, "batch", body=body, traceparent=trace, more=traces)
        if answer.status == 503:
            raise Unavailable("the orders service cannot take orders now")
        if answer.status != 200:
            raise UnexpectedAnswer(f"{answer.status} {answer.body[:500]!r}")
        outcomes = decoder(list[wire.Outcome]).decode(answer.body)
        return [wire.fate(order, outcome) for order, outcome in zip(orders, outcomes, strict=True)]

    async def cancel(self, order_id: UUID, *, traceparent: str) -> Answer:
        return await self._service.write(*ROUTE, str(order_id), "cancel", body=b"", traceparent=traceparent)

    async def get(self, order_id: UUID, *, unless: str | None, traceparent: str) -> Answer:
        return await self._service.read(*ROUTE, str(order_id), unless=unless, traceparent=traceparent)

    async def history(self, order_id: UUID, *, after: int | None, traceparent: str) -> Answer:
        query = {"after": after}
        return await self._service.read(
            *ROUTE, str(order_id), "history", query=query, traceparent=traceparent
        )

    async def changes(self, order_ids: Sequence[UUID]) -> Sequence[Sequence[Change]]:
        answer = await self._service.write(
            *ROUTE, "changes", body=encode(order_ids), traceparent=trace_context.traceparent(None)
        )
        if answer.status != 200:
            raise Unavailable("the orders service cannot tell of orders now")
        return wire.lives(answer.body)

    async def page(
        self, *, user_id: str | None, status: str | None, after: UUID | None, limit: int, traceparent: str
    ) -> Answer:
        query = {"userId": user_id, "status": status, "after": after, "limit": limit}
        return await self._service.read(*ROUTE, query=query, traceparent=traceparent)
