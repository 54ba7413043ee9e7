"""The routes of orders. New orders of many callers share batches; other calls are passed on one by one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, Request, get, post

from gateway import wire
from gateway.adapters.inbound.answers import PROBLEMS, answer_of
from gateway.adapters.inbound.prefer import Prefer, wait_s
from gateway.application.cancel_orders import CancelOrders
from gateway.application.place_and_wait import Left, PlaceAndWait
from gateway.application.place_orders import PlaceOrders
from gateway.domain.orders import Outcome, Waited
from gateway.ports.orders import OrdersService
from kernel.adapters import request_id, trace_context
from kernel.adapters.http.conventions.answers import JsonAnswer, passed_on
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.conditional import IfNoneMatch
from kernel.adapters.http.conventions.headers import LOCATION, PREFERENCE_APPLIED, REPLAYED, answering_with
from kernel.adapters.http.conventions.idempotency import IdempotencyKey
from kernel.adapters.http.conventions.paging import PAGE_SIZE, After, AfterSequence, PageLimit
from kernel.adapters.http.conventions.problem import problem_of
from kernel.adapters.http.middleware.client_left import client_left
from kernel.adapters.http.middleware.fast_path import Call, FastPath
from kernel.adapters.http.parsing.body import decode_body
from kernel.adapters.http.parsing.values import user_id_of
from kernel.contracts.values import encode
from kernel.domain.errors import Invalid
from kernel.ports.clock import Clock
from kernel.ports.http_answer import HttpAnswer
from orders.contract import operations
from orders.contract.http import PlaceOrder as Body
from orders.contract.http import RefusedItem

# Only the gateway offers `Prefer: wait`, so only its answer has Preference-Applied.
_PLACE_ORDER = operations.PLACE_ORDER | {
    "operation_class": answering_with(LOCATION, PREFERENCE_APPLIED, REPLAYED, links=operations.FROM_ORDER)
}


class PlaceOrderHandler:
    """Handles `POST /orders` for both the fast path and Litestar's route."""

    def __init__(self, place_orders: PlaceOrders, place_and_wait: PlaceAndWait, clock: Clock) -> None:
        self._place_orders = place_orders
        self._place_and_wait = place_and_wait
        self._clock = clock

    async def __call__(self, body: Body, key: str | None, prefer: str | None, left: Left) -> HttpAnswer:
        trace, own_id = trace_context.CURRENT.get(), request_id.CURRENT.get()
        order = wire.place_order(body, calling(), key, self._clock.new_id(), trace, own_id)
        seconds = wait_s(prefer) if prefer else None
        if seconds is None:
            (result,) = await self._place_orders([order])
            return answer_of(result)
        outcome = await self._place_and_wait(order, within_s=seconds, left=left)
        if not isinstance(outcome, Waited):
            return answer_of(outcome)
        answer = answer_of(outcome.placed)
        return replace(answer, headers={**answer.headers, PREFERENCE_APPLIED: f"wait={seconds}"})


class OrdersController(Controller):
    path = wire.ORDERS
    tags = ("Orders",)

    @post(**_PLACE_ORDER)
    @inject
    async def place(
        self,
        request: Request[Any, Any, Any],
        data: operations.PlaceOrderBody,
        handler: FromDishka[PlaceOrderHandler],
        idempotency_key: IdempotencyKey = None,
        prefer: Prefer = None,
    ) -> JsonAnswer[bytes]:
        return passed_on(await handler(data, idempotency_key, prefer, client_left(request.scope)))

    @post(**operations.PLACE_ORDERS)
    @inject
    async def place_batch(
        self,
        data: operations.PlaceOrdersBody,
        place_orders: FromDishka[PlaceOrders],
        clock: FromDishka[Clock],
    ) -> JsonAnswer[bytes]:
        trace, own_id = trace_context.CURRENT.get(), request_id.CURRENT.get()
        orders = [
            wire.place_order(item, calling(), item.idempotency_key, clock.new_id(), trace, own_id)
            for item in data.items
            if not isinstance(item, Invalid)
        ]
        outcomes = iter(await place_orders(orders) if orders else [])
        items = [_item(item if isinstance(item, Invalid) else next(outcomes)) for item in data.items]
        return JsonAnswer(encode(items))

    @get(**operations.LIST_ORDERS)
    @inject
    async def page(
        self,
        orders: FromDishka[OrdersService],
        user_id: operations.UserIdFilter = None,
        status: operations.StatusFilter = None,
        after: After = None,
        limit: PageLimit = PAGE_SIZE,
    ) -> JsonAnswer[bytes]:
        user = None if user_id is None else user_id_of(user_id)
        return passed_on(await orders.page(user_id=user, status=status, after=after, limit=limit))

    @get(**operations.GET_ORDER)
    @inject
    async def get_one(
        self,
        order_id: operations.OrderIdInPath,
        orders: FromDishka[OrdersService],
        if_none_match: IfNoneMatch = None,
    ) -> JsonAnswer[bytes]:
        return passed_on(await orders.get(order_id, unless=if_none_match))

    @get(**operations.GET_HISTORY)
    @inject
    async def history(
        self,
        order_id: operations.OrderIdInPath,
        orders: FromDishka[OrdersService],
        after: AfterSequence = None,
    ) -> JsonAnswer[bytes]:
        return passed_on(await orders.history(order_id, after=after))

    @post(**operations.CANCEL_ORDER)
    @inject
    async def cancel(
        self,
        order_id: operations.OrderIdInPath,
        cancel_orders: FromDishka[CancelOrders],
    ) -> JsonAnswer[bytes]:
        return passed_on(await cancel_orders(order_id))


def fast_paths(handler: PlaceOrderHandler) -> Mapping[str, FastPath]:
    async def place(call: Call) -> HttpAnswer:
        body = decode_body(call.body, Body)
        return await handler(body, call.idempotency_key, call.header(b"prefer"), call.client_left)

    return {wire.ORDERS: FastPath(place)}


def _item(outcome: Outcome | Exception) -> wire.RawBatchOutcome | RefusedItem:
    if isinstance(outcome, Exception):
        problem = problem_of(outcome, wire.ORDERS, PROBLEMS)
        return RefusedItem(problem.status, problem)
    return wire.batch_outcome(outcome)
