"""POST of one order and of a batch: what both the short ways and Litestar's routes do."""

from collections.abc import Mapping

from kernel.adapters import request_id
from kernel.adapters.http.body import BATCH_BYTES_MAX, Items, decode_body, decode_items
from kernel.adapters.http.idempotency import replay_headers
from kernel.adapters.http.problem import problem_of
from kernel.adapters.http.short_way import Call, ShortWay
from kernel.adapters.trace_context import TRACEPARENTS, from_list, traceparent
from kernel.application.group_commit import GroupCommit
from kernel.contracts import http
from kernel.contracts.values import encode
from kernel.domain.errors import Invalid
from kernel.ports.answer import Answer
from kernel.ports.clock import Clock
from orders import wire
from orders.domain.order import Placed, PlaceOrder

PATH = "/api/Order"


class Placing:
    def __init__(self, place_orders: GroupCommit[PlaceOrder, Placed], clock: Clock) -> None:
        self._place_orders = place_orders
        self._clock = clock

    async def one(self, body: http.PlaceOrder, key: str | None, trace: str | None) -> Answer:
        """Raises what refuses the order."""
        command = wire.place_order(
            body, key, self._clock.new_id(), traceparent(trace), request_id.CURRENT.get()
        )
        placed = await self._place_orders(command)
        headers = {"Location": f"{PATH}/{placed.order.id}"} | replay_headers(replayed=placed.replayed)
        return Answer(201, "application/json", headers, encode(wire.order_body(placed.order)))

    async def batch(
        self, items: Items[http.PlaceOrderItem], traces: str | None, ids: str | None, trace: str | None
    ) -> Answer:
        """`traces` and `ids` are the headers that tell those of the items."""
        told = from_list(traces, count=len(items.items), default=traceparent(trace))
        # Without traces of their own all items are one client's.
        default = "" if traces else request_id.CURRENT.get()
        ids_told = request_id.from_list(ids, traceparents=told, default=default)
        commands = [
            wire.place_order(item, item.idempotency_key, self._clock.new_id(), own_trace, own_id)
            for item, own_trace, own_id in zip(items.items, told, ids_told, strict=True)
            if not isinstance(item, Invalid)
        ]
        outcomes = iter(await self._place_orders.submit(commands) if commands else [])
        fates = [_fate(item if isinstance(item, Invalid) else next(outcomes)) for item in items.items]
        return Answer(200, "application/json", {}, encode(fates))


def _fate(outcome: Placed | Exception) -> http.BatchOutcome:
    if isinstance(outcome, Placed):
        return http.PlacedItem(201, wire.order_body(outcome.order), outcome.replayed)
    problem = problem_of(outcome, PATH)
    return http.RefusedItem(problem.status, problem)


def short_ways(placing: Placing) -> Mapping[str, ShortWay]:
    async def one(call: Call) -> Answer:
        body = decode_body(call.body, http.PlaceOrder)
        return await placing.one(body, call.idempotency_key, call.header(b"traceparent"))

    async def batch(call: Call) -> Answer:
        items = decode_items(call.body, http.PlaceOrderItem)
        traces, ids = call.header(TRACEPARENTS.encode()), call.header(request_id.REQUEST_IDS.encode())
        return await placing.batch(items, traces, ids, call.header(b"traceparent"))

    return {
        PATH: ShortWay(one),
        f"{PATH}/batch": ShortWay(batch, body_bytes_max=BATCH_BYTES_MAX, takes_key=False),
    }
