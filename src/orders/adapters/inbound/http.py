"""The routes of the orders service."""

from typing import Annotated, Any
from uuid import UUID

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import Controller, Request, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Body, PathParameter, QueryParameter

from kernel.adapters.http.app import JsonAnswer
from kernel.adapters.http.body import BATCH_BYTES_MAX, Items, JsonBody, JsonItems
from kernel.adapters.http.paging import PAGE_SIZE, PageLimit, next_page
from kernel.adapters.http.problem import problem_of, problems
from kernel.adapters.http.trace import traceparent
from kernel.adapters.http.values import user_id_of
from kernel.application.group_commit import GroupCommit
from kernel.contracts import examples, http
from kernel.domain.errors import Invalid, NotFound
from kernel.ports.clock import Clock
from orders import wire
from orders.domain.order import Placed, PlaceOrder, Status
from orders.ports.orders import PlacedOrders

PATH = "/api/Order"

PlaceOrders = GroupCommit[PlaceOrder, Placed]


class OrdersController(Controller):
    path = PATH
    tags = ("Orders",)

    @post(
        dto=JsonBody,
        return_dto=None,
        operation_id="placeOrder",
        summary="Place an order and start its payment",
        responses={
            201: ResponseSpec(http.Order, description="Accepted", examples=[Example(value=examples.ORDER)])
        }
        | problems(
            (400, "invalid_request"),
            (402, "insufficient_funds"),
            (413, "body_too_large"),
            (415, "unsupported_media_type"),
            (422, "account_not_found"),
            (503, "overloaded"),
            (503, "database_unavailable"),
            (504, "outcome_unknown"),
        ),
    )
    @inject
    async def place(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[http.PlaceOrder, Body(examples=[Example(value=examples.PLACE_ORDER)])],
        place_orders: FromDishka[PlaceOrders],
        clock: FromDishka[Clock],
    ) -> JsonAnswer[http.Order]:
        trace = traceparent(request.headers.get("traceparent"))
        placed = await place_orders(wire.place_order(data, None, clock.new_id(), trace))
        return JsonAnswer(wire.order_body(placed.order), headers={"Location": f"{PATH}/{placed.order.id}"})

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
        | problems(
            (400, "invalid_request"),
            (413, "body_too_large"),
            (415, "unsupported_media_type"),
            (503, "overloaded"),
        ),
    )
    @inject
    async def place_batch(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[Items[http.PlaceOrderItem], Body(examples=[Example(value=examples.BATCH)])],
        place_orders: FromDishka[PlaceOrders],
        clock: FromDishka[Clock],
    ) -> JsonAnswer[list[http.BatchOutcome]]:
        trace = traceparent(request.headers.get("traceparent"))
        commands = [
            wire.place_order(item, item.idempotency_key, clock.new_id(), trace)
            for item in data.items
            if not isinstance(item, Invalid)
        ]
        outcomes = iter(await place_orders.submit(commands) if commands else [])
        return JsonAnswer(
            [_item(item if isinstance(item, Invalid) else next(outcomes)) for item in data.items]
        )

    @get(
        operation_id="listOrders",
        summary="Orders, oldest first",
        responses={
            200: ResponseSpec(
                list[http.Order], description="A page", examples=[Example(value=[examples.FINISHED_ORDER])]
            )
        }
        | problems((400, "invalid_request"), (503, "database_unavailable")),
    )
    @inject
    async def page(
        self,
        placed: FromDishka[PlacedOrders],
        user_id: Annotated[
            str | None, QueryParameter(name="userId", examples=[Example(value="alice")])
        ] = None,
        status: Annotated[Status | None, QueryParameter(name="status")] = None,
        after: Annotated[
            UUID | None, QueryParameter(name="after", description="As in the Link header.")
        ] = None,
        limit: PageLimit = PAGE_SIZE,
    ) -> JsonAnswer[list[http.Order]]:
        user = None if user_id is None else user_id_of(user_id)
        orders = await placed.page(user_id=user, status=status, after=after, limit=limit + 1)
        query = {"userId": user, "status": status and status.value, "limit": str(limit)}
        last = str(orders[limit - 1].id) if len(orders) > limit else None
        return JsonAnswer(
            [wire.order_body(order) for order in orders[:limit]], headers=next_page(PATH, query, after=last)
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
        | problems((400, "invalid_request"), (404, "order_not_found"), (503, "database_unavailable")),
    )
    @inject
    async def get_one(
        self,
        order_id: Annotated[UUID, PathParameter(name="id", examples=[Example(value=examples.ORDER["id"])])],
        placed: FromDishka[PlacedOrders],
    ) -> JsonAnswer[http.Order]:
        order = await placed.get(order_id)
        if order is None:
            raise NotFound("order_not_found", f"there is no order {order_id}")
        return JsonAnswer(wire.order_body(order))


def _item(outcome: Placed | Exception) -> http.BatchOutcome:
    if isinstance(outcome, Placed):
        return http.PlacedItem(201, wire.order_body(outcome.order), outcome.replayed)
    problem = problem_of(outcome, PATH)
    return http.RefusedItem(problem.status, problem)
