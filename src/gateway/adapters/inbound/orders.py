"""Orders: placed in batches that many callers share, read as the orders service tells them."""

from collections.abc import Mapping
from typing import Any

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, Request, get, post

from gateway import wire
from gateway.adapters.inbound.answers import trace_of
from gateway.adapters.inbound.prefer import Prefer, as_preferred
from gateway.application.cancel_orders import CancelOrders
from gateway.application.hub import Hub
from gateway.application.place_orders import PlaceOrders
from gateway.domain.orders import Fate
from gateway.ports.orders import OrdersService
from kernel.adapters import request_id
from kernel.adapters.http import operations
from kernel.adapters.http.app import JsonAnswer, passed_on
from kernel.adapters.http.body import decode_body
from kernel.adapters.http.conditional import IfNoneMatch
from kernel.adapters.http.headers import LOCATION, PREFERENCE_APPLIED, REPLAYED, answering_with
from kernel.adapters.http.idempotency import IdempotencyKey
from kernel.adapters.http.left import left_of
from kernel.adapters.http.paging import PAGE_SIZE, After, AfterSequence, PageLimit
from kernel.adapters.http.problem import problem_of
from kernel.adapters.http.short_way import Call, ShortWay
from kernel.adapters.http.values import user_id_of
from kernel.adapters.trace_context import valid
from kernel.contracts.http import PlaceOrder as Body
from kernel.contracts.http import RefusedItem
from kernel.contracts.values import encode
from kernel.domain.errors import Invalid
from kernel.ports.answer import Answer
from kernel.ports.clock import Clock

# Only the gateway waits.
_PLACE_ORDER = operations.PLACE_ORDER | {
    "operation_class": answering_with(LOCATION, PREFERENCE_APPLIED, REPLAYED)
}


class OrdersController(Controller):
    path = wire.ORDERS
    tags = ("Orders",)

    @post(**_PLACE_ORDER)
    @inject
    async def place(
        self,
        request: Request[Any, Any, Any],
        data: operations.PlaceOrderBody,
        place_orders: FromDishka[PlaceOrders],
        hub: FromDishka[Hub],
        clock: FromDishka[Clock],
        idempotency_key: IdempotencyKey = None,
        prefer: Prefer = None,
    ) -> JsonAnswer[bytes]:
        trace = valid(request.headers.get("traceparent"))
        order = wire.place_order(data, idempotency_key, clock.new_id(), trace, request_id.CURRENT.get())
        left = left_of(request.scope)
        return passed_on(await as_preferred(order, prefer, place_orders, hub, left))

    @post("/batch", **operations.PLACE_ORDERS)
    @inject
    async def place_batch(
        self,
        request: Request[Any, Any, Any],
        data: operations.PlaceOrdersBody,
        place_orders: FromDishka[PlaceOrders],
        clock: FromDishka[Clock],
    ) -> JsonAnswer[bytes]:
        trace = valid(request.headers.get("traceparent"))
        orders = [
            wire.place_order(item, item.idempotency_key, clock.new_id(), trace, request_id.CURRENT.get())
            for item in data.items
            if not isinstance(item, Invalid)
        ]
        fates = iter(await place_orders(orders) if orders else [])
        items = [_item(item if isinstance(item, Invalid) else next(fates)) for item in data.items]
        return JsonAnswer(encode(items))

    @get(**operations.LIST_ORDERS)
    @inject
    async def page(
        self,
        request: Request[Any, Any, Any],
        orders: FromDishka[OrdersService],
        user_id: operations.UserIdFilter = None,
        status: operations.StatusFilter = None,
        after: After = None,
        limit: PageLimit = PAGE_SIZE,
    ) -> JsonAnswer[bytes]:
        user = None if user_id is None else user_id_of(user_id)
        return passed_on(
            await orders.page(
                user_id=user, status=status, after=after, limit=limit, traceparent=trace_of(request)
            )
        )

    @get("/{id:str}", **operations.GET_ORDER)
    @inject
    async def get_one(
        self,
        request: Request[Any, Any, Any],
        order_id: operations.OrderIdInPath,
        orders: FromDishka[OrdersService],
        if_none_match: IfNoneMatch = None,
    ) -> JsonAnswer[bytes]:
        return passed_on(await orders.get(order_id, unless=if_none_match, traceparent=trace_of(request)))

    @get("/{id:str}/history", **operations.GET_HISTORY)
    @inject
    async def history(
        self,
        request: Request[Any, Any, Any],
        order_id: operations.OrderIdInPath,
        orders: FromDishka[OrdersService],
        after: AfterSequence = None,
    ) -> JsonAnswer[bytes]:
        return passed_on(await orders.history(order_id, after=after, traceparent=trace_of(request)))

    @post("/{id:str}/cancel", **operations.CANCEL_ORDER)
    @inject
    async def cancel(
        self,
        request: Request[Any, Any, Any],
        order_id: operations.OrderIdInPath,
        cancel_orders: FromDishka[CancelOrders],
    ) -> JsonAnswer[bytes]:
        return passed_on(await cancel_orders(order_id, traceparent=trace_of(request)))


def short_ways(place_orders: PlaceOrders, hub: Hub, clock: Clock) -> Mapping[str, ShortWay]:
    async def place(call: Call) -> Answer:
        order = wire.place_order(
            decode_body(call.body, Body),
            call.idempotency_key,
            clock.new_id(),
            valid(call.header(b"traceparent")),
            request_id.CURRENT.get(),
        )
        return await as_preferred(order, call.header(b"prefer"), place_orders, hub, call.left)

    return {wire.ORDERS: ShortWay(place)}


def _item(fate: Fate | Exception) -> wire.Outcome | RefusedItem:
    if isinstance(fate, Exception):
        problem = problem_of(fate, wire.ORDERS)
        return RefusedItem(problem.status, problem)
    return wire.outcome(fate)
