"""Handles the POST of one order and of a batch, for both the fast paths and Litestar's routes."""

from collections.abc import Callable, Mapping
from uuid import UUID

from kernel.adapters import request_id, trace_context
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.idempotency import replay_headers
from kernel.adapters.http.conventions.problem import problem_of
from kernel.adapters.http.middleware.fast_path import Call, FastPath
from kernel.adapters.http.parsing.body import BATCH_BYTES_MAX, Items, decode_body, decode_items
from kernel.application.groups import Groups
from kernel.contracts.values import encode
from kernel.domain.errors import Invalid
from kernel.ports.http_answer import HttpAnswer
from orders import wire
from orders.contract import http
from orders.contract.operations import PLACE_ORDERS, ROUTE
from orders.contract.problems import PROBLEMS
from orders.domain.commands import Placement
from orders.domain.order import Placed


class PlacementHandler:
    def __init__(self, place_orders: Groups[Placement, Placed], new_id: Callable[[str], UUID]) -> None:
        """`new_id` makes the id of a new order for the user with the given id."""
        self._place_orders = place_orders
        self._new_id = new_id

    async def one(self, body: http.PlaceOrder, key: str | None) -> HttpAnswer:
        """Places one order, and returns the answer. Raises ShopError if the order is refused."""
        trace, own_id = trace_context.CURRENT.get(), request_id.CURRENT.get()
        command = wire.place_order(body, calling(), key, self._new_id(body.user_id), trace, own_id)
        placed = await self._place_orders(command)
        headers = {"Location": f"{ROUTE}/{placed.order.id}"} | replay_headers(replayed=placed.replayed)
        return HttpAnswer(201, "application/json", headers, encode(wire.order_body(placed.order)))

    async def batch(
        self, items: Items[http.PlaceOrderItem], traces: str | None, ids: str | None
    ) -> HttpAnswer:
        """Places a batch. `traces` and `ids` are headers that list the trace and request id of each item."""
        count, trace = len(items.items), trace_context.CURRENT.get()
        traceparents = trace_context.from_list(traces, count=count, default=trace)
        # Without the header of traces, all items come from one client call, and share its request id.
        default = "" if traces else request_id.CURRENT.get()
        request_ids = request_id.from_list(ids, traceparents=traceparents, default=default)
        commands = [
            wire.place_order(
                item, calling(), item.idempotency_key, self._new_id(item.user_id), own_trace, own_id
            )
            for item, own_trace, own_id in zip(items.items, traceparents, request_ids, strict=True)
            if not isinstance(item, Invalid)
        ]
        outcomes = iter(await self._place_orders.submit(commands) if commands else [])
        bodies = [
            _batch_outcome(item if isinstance(item, Invalid) else next(outcomes)) for item in items.items
        ]
        return HttpAnswer(200, "application/json", {}, encode(bodies))


def _batch_outcome(outcome: Placed | Exception) -> http.BatchOutcome:
    if isinstance(outcome, Placed):
        return http.PlacedItem(201, wire.order_body(outcome.order), outcome.replayed)
    problem = problem_of(outcome, ROUTE, PROBLEMS)
    return http.RefusedItem(problem.status, problem)


def fast_paths(handler: PlacementHandler) -> Mapping[str, FastPath]:
    async def one(call: Call) -> HttpAnswer:
        return await handler.one(decode_body(call.body, http.PlaceOrder), call.idempotency_key)

    async def batch(call: Call) -> HttpAnswer:
        items = decode_items(call.body, http.PlaceOrderItem)
        traces = call.header(trace_context.TRACEPARENTS.encode())
        return await handler.batch(items, traces, call.header(request_id.REQUEST_IDS.encode()))

    return {
        ROUTE: FastPath(one),
        ROUTE + PLACE_ORDERS["path"]: FastPath(batch, body_bytes_max=BATCH_BYTES_MAX, takes_key=False),
    }
