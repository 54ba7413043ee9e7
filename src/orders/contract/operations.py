"""The HTTP operations of the orders service. The gateway offers them too."""

from typing import Annotated
from uuid import UUID

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import PathParameter, QueryParameter

from kernel.adapters.http.conventions.headers import (
    ETAG,
    LINK,
    LOCATION,
    REPLAYED,
    RETRY_AFTER,
    answering_with,
)
from kernel.adapters.http.conventions.idempotency import keys_in_the_body, nothing_but_a_key
from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.operations import (
    ALWAYS,
    AWAY,
    FORBIDDEN,
    INVALID_BODY,
    KEY_REUSED,
    NOT_WRITTEN,
    OVERLOADED,
    Operation,
    answering,
    body,
    to,
)
from kernel.adapters.http.operators.declaring import read
from kernel.adapters.http.operators.facts import explain
from kernel.adapters.http.parsing.body import BATCH_BYTES_MAX, Items, JsonBody, JsonItems
from kernel.contracts.http import Noted
from kernel.contracts.schema import USER_ID_TEXT
from kernel.contracts.values import UserId
from orders.contract import examples, http
from orders.contract.problems import PROBLEMS

# The paths of all operations begin with these. OPERATED is below the path of the operators' routes.
ROUTE = "/api/Order"
OPERATED = "/orders"

PlaceOrderBody = Annotated[http.PlaceOrder, body(examples.PLACE_ORDER)]
NotedBody = Annotated[Noted, body({"note": "asked for by phone"})]
OrderIdsBody = Annotated[list[UUID], body([examples.ORDER["id"]])]
PlaceOrdersBody = Annotated[Items[http.PlaceOrderItem], body(examples.BATCH)]

OrderIdInPath = Annotated[UUID, PathParameter(name="id", examples=[Example(value=examples.ORDER["id"])])]
UserIdFilter = Annotated[
    str | None,
    UserId,
    QueryParameter(name="userId", schema_extra={"pattern": USER_ID_TEXT}, examples=[Example(value="alice")]),
]
StatusFilter = Annotated[http.OrderStatus | None, QueryParameter(name="status")]

# Some of these operations exist only at the gateway.
FROM_ORDER = to("getOrder", "getOrderHistory", "cancelOrder", "watchOrder", id="$response.body#/id") | to(
    "getAccount", userId="$response.body#/userId"
)
NO_ORDER = (404, "order_not_found")

PLACE_ORDER = Operation(
    operation_id="placeOrder",
    summary="Place an order and start its payment",
    dto=JsonBody,
    operation_class=answering_with(LOCATION, REPLAYED, links=FROM_ORDER),
    responses=answering(201, http.Order, "Accepted", examples.ORDER)
    | problems(
        PROBLEMS,
        *INVALID_BODY,
        (402, "insufficient_funds"),
        FORBIDDEN,
        (403, "account_frozen"),
        (422, "account_not_found"),
        (422, "expired"),
        KEY_REUSED,
        *NOT_WRITTEN,
    ),
)
PLACE_ORDERS = Operation(
    path="/batch",
    operation_id="placeOrders",
    summary="Place 1 to 200 orders, each with its own outcome",
    dto=JsonItems,
    before_request=keys_in_the_body,
    status_code=200,
    request_max_body_size=BATCH_BYTES_MAX,
    responses=answering(
        200, list[http.BatchOutcome], "One outcome for each order, in the same order", examples.BATCH_OUTCOMES
    )
    | problems(PROBLEMS, *INVALID_BODY, OVERLOADED),
)
LIST_ORDERS = Operation(
    operation_id="listOrders",
    summary="Orders, oldest first",
    operation_class=answering_with(LINK),
    responses=answering(200, list[http.Order], "A page", [examples.FINISHED_ORDER])
    | problems(PROBLEMS, *ALWAYS, FORBIDDEN, *AWAY),
)
GET_ORDER = Operation(
    path="/{id:str}",
    operation_id="getOrder",
    summary="An order and its status",
    operation_class=answering_with(ETAG, links=FROM_ORDER),
    responses=answering(200, http.Order, "The order", examples.FINISHED_ORDER)
    | {304: ResponseSpec(None, description="Not changed: the order still has the ETag in If-None-Match")}
    | problems(PROBLEMS, *ALWAYS, NO_ORDER, *AWAY),
)
GET_HISTORY = Operation(
    path="/{id:str}/history",
    operation_id="getOrderHistory",
    summary="All statuses that the order has had, oldest first",
    responses=answering(200, list[http.StatusChange], "The changes after `after`", examples.HISTORY)
    | problems(PROBLEMS, *ALWAYS, NO_ORDER, *AWAY),
)
_CANCELLED = answering(202, http.Order, "The order is being cancelled or refunded", examples.REFUNDING_ORDER)
_NOT_CANCELLED = (FORBIDDEN, NO_ORDER, (409, "order_cancelled"), (409, "order_refunded"), *NOT_WRITTEN)
CANCEL_ORDER = Operation(
    path="/{id:str}/cancel",
    operation_id="cancelOrder",
    summary="Cancel an order, or refund it if it is paid",
    description="A NEW order becomes CANCELLED, or is refunded if it was paid first. A FINISHED order becomes"
    " REFUNDING, then REFUNDED. The call may be repeated. The answer shows the order before payments"
    " answers, so a NEW order is still NEW. Read the order again at `Location` after `Retry-After` seconds,"
    " or follow its events.",
    status_code=202,
    before_request=nothing_but_a_key,
    operation_class=answering_with(LOCATION, RETRY_AFTER, links=FROM_ORDER),
    responses=_CANCELLED | problems(PROBLEMS, *ALWAYS, *_NOT_CANCELLED),
)
EXPLAIN = explain("orders")
CANCEL_FOR_CUSTOMER = Operation(
    path="/{id:str}/cancel",
    operation_id="cancelForCustomer",
    summary="Cancel or refund a customer's order, with a note for the record",
    dto=JsonBody,
    status_code=202,
    operation_class=answering_with(LOCATION, RETRY_AFTER, links=FROM_ORDER),
    responses=_CANCELLED | problems(PROBLEMS, *INVALID_BODY, *_NOT_CANCELLED),
)
READ_CHANGES = Operation(
    path="/changes",
    operation_id="readChanges",
    summary="Orders as they were after each of their changes (for the gateway)",
    dto=JsonBody,
    status_code=200,
    responses=answering(
        200,
        list[list[http.OrderChange] | None],
        "One history per id, in the same order: empty if the order does not exist, null if it cannot be"
        " read now",
        [[{"sequence": 1, "order": examples.ORDER}], []],
    )
    | problems(PROBLEMS, *INVALID_BODY, FORBIDDEN, *AWAY),
)
READ_SERIES = read(
    "/series",
    "readSeries",
    "Orders per second, and the seconds until they were decided, in the last 15 minutes",
    answer=(list[http.SeriesStep], "Steps of 15 s, oldest first", [examples.SERIES_STEP]),
)
AUDIT_PATH = "/audit"
BEGIN_AUDIT = Operation(
    path=AUDIT_PATH,
    operation_id="beginAudit",
    summary="Begin an audit of all orders, payments and money; one runs at a time",
    description="The audit runs in the background. Read its progress at `Location`. If the process"
    " of the audit ends, the state becomes `died` within 15 s. Then begin another audit.",
    status_code=202,
    before_request=nothing_but_a_key,
    operation_class=answering_with(LOCATION),
    responses=answering(
        202, http.Audit, "The run", {"run": {**examples.AUDIT_RUN, "state": "running", "endedAt": None}}
    )
    | problems(PROBLEMS, *ALWAYS, FORBIDDEN, (409, "audit_running"), *NOT_WRITTEN),
)
READ_AUDIT = read(
    AUDIT_PATH,
    "readAudit",
    "The latest run of the audit, with progress and findings",
    answer=(http.Audit, "The run", {"run": examples.AUDIT_RUN}),
)
