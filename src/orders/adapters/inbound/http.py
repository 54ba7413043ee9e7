"""The routes of the orders service."""

from typing import Any
from uuid import UUID

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, Request, get, post

from kernel.adapters import request_id, trace_context
from kernel.adapters.http.conventions.answers import JsonAnswer, passed_on
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.conditional import IfNoneMatch, conditional
from kernel.adapters.http.conventions.idempotency import IdempotencyKey
from kernel.adapters.http.conventions.paging import PAGE_SIZE, After, AfterSequence, PageLimit, next_page
from kernel.adapters.http.operators.facts import facts_body
from kernel.adapters.http.parsing.values import user_id_of
from kernel.application.groups import Groups
from kernel.contracts.operators import FactsOfOrder
from kernel.domain.caller import Caller
from orders import wire
from orders.adapters.inbound.placement_handler import PlacementHandler
from orders.application.explain_order import ExplainOrder
from orders.application.read_orders import ReadOrders
from orders.contract import http, operations
from orders.domain.commands import CancelOrder
from orders.domain.order import Cancelled
from orders.domain.status import Status

# The Retry-After of a cancellation, in seconds. Payments usually answers a cancellation within this time.
CANCELLED_WITHIN_S = "1"


class OrdersController(Controller):
    path = operations.ROUTE
    tags = ("Orders",)

    @post(**operations.PLACE_ORDER)
    @inject
    async def place(
        self,
        data: operations.PlaceOrderBody,
        handler: FromDishka[PlacementHandler],
        idempotency_key: IdempotencyKey = None,
    ) -> JsonAnswer[bytes]:
        return passed_on(await handler.one(data, idempotency_key))

    @post(**operations.PLACE_ORDERS)
    @inject
    async def place_batch(
        self,
        request: Request[Any, Any, Any],
        data: operations.PlaceOrdersBody,
        handler: FromDishka[PlacementHandler],
    ) -> JsonAnswer[bytes]:
        traces = request.headers.get(trace_context.TRACEPARENTS)
        return passed_on(await handler.batch(data, traces, request.headers.get(request_id.REQUEST_IDS)))

    @post(**operations.READ_CHANGES)
    @inject
    async def changes(
        self, data: operations.OrderIdsBody, read_orders: FromDishka[ReadOrders]
    ) -> JsonAnswer[list[list[http.OrderChange] | None]]:
        histories = await read_orders.status_histories(calling(), data)
        return JsonAnswer([None if one is None else wire.status_history_body(one) for one in histories])

    @get(**operations.LIST_ORDERS)
    @inject
    async def page(
        self,
        read_orders: FromDishka[ReadOrders],
        user_id: operations.UserIdFilter = None,
        status: operations.StatusFilter = None,
        after: After = None,
        limit: PageLimit = PAGE_SIZE,
    ) -> JsonAnswer[list[http.Order]]:
        user = None if user_id is None else user_id_of(user_id)
        caller, wanted = calling(), Status(status) if status else None
        orders = await read_orders.page(caller, user_id=user, status=wanted, after=after, limit=limit + 1)
        query = {"userId": user, "status": status, "limit": str(limit)}
        last = str(orders[limit - 1].id) if len(orders) > limit else None
        link = next_page(operations.ROUTE, query, after=last)
        return JsonAnswer([wire.order_body(order) for order in orders[:limit]], headers=link)

    @get(**operations.GET_ORDER)
    @inject
    async def get_one(
        self,
        order_id: operations.OrderIdInPath,
        read_orders: FromDishka[ReadOrders],
        if_none_match: IfNoneMatch = None,
    ) -> JsonAnswer[bytes]:
        order = await read_orders.get(calling(), order_id)
        return conditional(wire.order_body(order), if_none_match)

    @get(**operations.GET_HISTORY)
    @inject
    async def history(
        self,
        order_id: operations.OrderIdInPath,
        read_orders: FromDishka[ReadOrders],
        after: AfterSequence = None,
    ) -> JsonAnswer[list[http.StatusChange]]:
        changes = await read_orders.history(calling(), order_id, after=after or 0)
        return JsonAnswer(wire.history_body(changes))

    @post(**operations.CANCEL_ORDER)
    @inject
    async def cancel(
        self,
        order_id: operations.OrderIdInPath,
        read_orders: FromDishka[ReadOrders],
        cancel_orders: FromDishka[Groups[CancelOrder, Cancelled]],
    ) -> JsonAnswer[http.Order]:
        return await _cancelled(order_id, calling(), "", read_orders, cancel_orders)


class OperatedOrdersController(Controller):
    path = operations.OPERATED
    tags = ("Operators",)

    @get(**operations.EXPLAIN)
    @inject
    async def explain(
        self, order_id: operations.OrderIdInPath, explain: FromDishka[ExplainOrder]
    ) -> JsonAnswer[FactsOfOrder]:
        return JsonAnswer(facts_body(await explain(calling(), order_id)))

    @post(**operations.CANCEL_FOR_CUSTOMER)
    @inject
    async def cancel(
        self,
        order_id: operations.OrderIdInPath,
        data: operations.NotedBody,
        read_orders: FromDishka[ReadOrders],
        cancel_orders: FromDishka[Groups[CancelOrder, Cancelled]],
    ) -> JsonAnswer[http.Order]:
        return await _cancelled(order_id, calling().as_operator(), data.note, read_orders, cancel_orders)


async def _cancelled(
    order_id: UUID,
    caller: Caller,
    note: str,
    read_orders: ReadOrders,
    cancel_orders: Groups[CancelOrder, Cancelled],
) -> JsonAnswer[http.Order]:
    order = await read_orders.get(caller, order_id)
    trace, own_id = trace_context.CURRENT.get(), request_id.CURRENT.get()
    cancelled = await cancel_orders(wire.cancel_order(order, caller, trace, own_id, note))
    under_way = {"Location": f"{operations.ROUTE}/{order_id}", "Retry-After": CANCELLED_WITHIN_S}
    return JsonAnswer(wire.order_body(cancelled.order), headers=under_way)
