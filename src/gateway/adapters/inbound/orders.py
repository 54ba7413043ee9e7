"""Orders: placed in batches that many callers share, read as the orders service tells them."""

from typing import Annotated, Any
from uuid import UUID

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, Request, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Body, PathParameter, QueryParameter

from gateway import wire
from gateway.adapters.inbound.answers import (
    BODY_PROBLEMS,
    READ_PROBLEMS,
    WRITE_PROBLEMS,
    passed_on,
    trace_of,
)
from gateway.application.place_orders import PlaceOrders
from gateway.domain.orders import Fate, Placed
from gateway.domain.routes import ORDERS
from gateway.ports.orders import OrdersService
from kernel.adapters.http.app import JsonAnswer
from kernel.adapters.http.body import BATCH_BYTES_MAX, Items, JsonBody, JsonItems
from kernel.adapters.http.paging import PAGE_SIZE, PageLimit
from kernel.adapters.http.problem import MEDIA_TYPE, problem_of, problems
from kernel.adapters.http.values import user_id_of
from kernel.contracts import examples, http
from kernel.contracts.values import encode
from kernel.domain.errors import Invalid
from kernel.ports.clock import Clock


class OrdersController(Controller):
    path = ORDERS
    tags = ("Orders",)

    @post(
        dto=JsonBody,
        return_dto=None,
        operation_id="placeOrder",
        summary="Place an order and start its payment",
        responses={
            201: ResponseSpec(http.Order, description="Accepted", examples=[Example(value=examples.ORDER)])
        }
        | problems(*BODY_PROBLEMS, (402, "insufficient_funds"), (422, "account_not_found"), *WRITE_PROBLEMS),
    )
    @inject
    async def place(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[http.PlaceOrder, Body(examples=[Example(value=examples.PLACE_ORDER)])],
        place_orders: FromDishka[PlaceOrders],
        clock: FromDishka[Clock],
    ) -> JsonAnswer[bytes]:
        order = wire.place_order(data, None, clock.new_id(), trace_of(request))
        (fate,) = await place_orders([order])
        if isinstance(fate, Exception):
            raise fate
        if isinstance(fate, Placed):
            return JsonAnswer(fate.order, headers={"Location": f"{ORDERS}/{fate.order_id}"})
        retry = {"Retry-After": "1"} if fate.status == 503 else {}
        return JsonAnswer(fate.problem, status_code=fate.status, media_type=MEDIA_TYPE, headers=retry)

    @post(
        "/batch",
        dto=JsonItems,
        return_dto=None,
        status_code=200,
        request_max_body_size=BATCH_BYTES_MAX,
        operation_id="placeOrders",
        summary="Place 1 to 200 orders, each with its own fate",
        responses={
            200: ResponseSpec(
                list[http.BatchOutcome],
                description="One outcome an order, in the same order",
                examples=[Example(value=examples.BATCH_OUTCOMES)],
            )
        }
        | problems(*BODY_PROBLEMS, (503, "overloaded")),
    )
    @inject
    async def place_batch(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[Items[http.PlaceOrderItem], Body(examples=[Example(value=examples.BATCH)])],
        place_orders: FromDishka[PlaceOrders],
        clock: FromDishka[Clock],
    ) -> JsonAnswer[bytes]:
        trace = trace_of(request)
        orders = [
            wire.place_order(item, item.idempotency_key, clock.new_id(), trace)
            for item in data.items
            if not isinstance(item, Invalid)
        ]
        fates = iter(await place_orders(orders) if orders else [])
        items = [_item(item if isinstance(item, Invalid) else next(fates)) for item in data.items]
        return JsonAnswer(encode(items))

    @get(
        operation_id="listOrders",
        summary="Orders, oldest first",
        responses={
            200: ResponseSpec(
                list[http.Order], description="A page", examples=[Example(value=[examples.FINISHED_ORDER])]
            )
        }
        | problems((400, "invalid_request"), *READ_PROBLEMS),
    )
    @inject
    async def page(
        self,
        request: Request[Any, Any, Any],
        orders: FromDishka[OrdersService],
        user_id: Annotated[
            str | None, QueryParameter(name="userId", examples=[Example(value="alice")])
        ] = None,
        status: Annotated[http.OrderStatus | None, QueryParameter(name="status")] = None,
        after: Annotated[
            UUID | None, QueryParameter(name="after", description="As in the Link header.")
        ] = None,
        limit: PageLimit = PAGE_SIZE,
    ) -> JsonAnswer[bytes]:
        user = None if user_id is None else user_id_of(user_id)
        return passed_on(
            await orders.page(
                user_id=user, status=status, after=after, limit=limit, traceparent=trace_of(request)
            )
        )

    @get(
        "/{id:str}",
        operation_id="getOrder",
        summary="An order and its status",
        responses={
            200: ResponseSpec(
                http.Order, description="The order", examples=[Example(value=examples.FINISHED_ORDER)]
            )
        }
        | problems((400, "invalid_request"), (404, "order_not_found"), *READ_PROBLEMS),
    )
    @inject
    async def get_one(
        self,
        request: Request[Any, Any, Any],
        order_id: Annotated[UUID, PathParameter(name="id", examples=[Example(value=examples.ORDER["id"])])],
        orders: FromDishka[OrdersService],
    ) -> JsonAnswer[bytes]:
        return passed_on(await orders.get(order_id, traceparent=trace_of(request)))


def _item(fate: Fate | Exception) -> wire.PlacedItem | wire.RefusedItem | http.RefusedItem:
    if isinstance(fate, Exception):
        problem = problem_of(fate, ORDERS)
        return http.RefusedItem(problem.status, problem)
    return wire.item(fate)
