"""Every operation that both a service and the gateway in front of it offer: documented once, read alike.

A service also documents what only the gateway answers (`unavailable`), so that both doors are one contract.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict
from uuid import UUID

import msgspec
from litestar.dto import AbstractDTO
from litestar.middleware import ASGIMiddleware
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.openapi.spec import Operation as OpenAPIOperation
from litestar.params import Body, PathParameter, QueryParameter
from litestar.types import BeforeRequestHookHandler, Guard

from kernel.adapters.http.body import BATCH_BYTES_MAX, Items, JsonBody, JsonItems
from kernel.adapters.http.head import not_by_head
from kernel.adapters.http.headers import ETAG, LINK, LOCATION, REPLAYED, RETRY_AFTER, answering_with
from kernel.adapters.http.idempotency import keys_in_the_body, nothing_but_a_key
from kernel.adapters.http.legacy import Deprecated
from kernel.adapters.http.problem import problems
from kernel.contracts import examples, http
from kernel.contracts.schema import AMOUNT_TEXT, USER_ID_TEXT
from kernel.contracts.values import encode


class Operation(TypedDict, total=False):
    """What a route is declared with, as in `@post(**PLACE_ORDER)`."""

    operation_id: str
    summary: str
    description: str
    dto: type[AbstractDTO[Any]]
    status_code: int
    request_max_body_size: int
    deprecated: bool
    tags: Sequence[str]
    guards: Sequence[Guard]
    before_request: BeforeRequestHookHandler
    middleware: Sequence[ASGIMiddleware]
    operation_class: type[OpenAPIOperation]
    responses: Mapping[int, ResponseSpec]


def _answer(status: int, kind: Any, description: str, example: object) -> dict[int, ResponseSpec]:
    shown = [_shown(example)]
    return {status: ResponseSpec(kind, generate_examples=False, description=description, examples=shown)}


def _body(example: object) -> Any:
    return Body(examples=[_shown(example)])


def _shown(example: object) -> Example:
    """Encoded, or Litestar would leave out what is null."""
    return Example(value=msgspec.Raw(encode(example)))


OpenAccountBody = Annotated[http.OpenAccount, _body(examples.OPEN_ACCOUNT)]
DepositBody = Annotated[http.Deposit, _body(examples.DEPOSIT)]
AdmissionBody = Annotated[list[http.AdmissionRequest], _body([examples.ADMISSION])]
PlaceOrderBody = Annotated[http.PlaceOrder, _body(examples.PLACE_ORDER)]
OrderIdsBody = Annotated[list[UUID], _body([examples.ORDER["id"]])]
PlaceOrdersBody = Annotated[Items[http.PlaceOrderItem], _body(examples.BATCH)]

UserIdInPath = Annotated[
    str,
    PathParameter(name="userId", schema_extra={"pattern": USER_ID_TEXT}, examples=[Example(value="alice")]),
]
OrderIdInPath = Annotated[UUID, PathParameter(name="id", examples=[Example(value=examples.ORDER["id"])])]
AmountInQuery = Annotated[
    str,
    QueryParameter(
        name="amount",
        description="As in the POST's body.",
        schema_extra={"pattern": AMOUNT_TEXT},
        examples=[Example(value="100.00")],
    ),
]
UserIdFilter = Annotated[
    str | None,
    QueryParameter(name="userId", schema_extra={"pattern": USER_ID_TEXT}, examples=[Example(value="alice")]),
]
StatusFilter = Annotated[http.OrderStatus | None, QueryParameter(name="status")]

_INVALID = (400, "invalid_request")
_INVALID_BODY = (_INVALID, (413, "body_too_large"), (415, "unsupported_media_type"))
_NO_ACCOUNT = (404, "account_not_found")
_NO_ORDER = (404, "order_not_found")
_KEY_REUSED = (422, "idempotency_key_reused")
_OVERLOADED = (503, "overloaded")
_AWAY = ((503, "unavailable"), _OVERLOADED, (503, "database_unavailable"))
_NOT_WRITTEN = (*_AWAY, (504, "outcome_unknown"))

_DEPOSITED = _answer(200, http.Deposited, "The balance right after this deposit", examples.DEPOSITED)
_NOT_DEPOSITED = (_NO_ACCOUNT, (422, "balance_limit"), _KEY_REUSED, *_NOT_WRITTEN)

OPEN_ACCOUNT = Operation(
    operation_id="openAccount",
    summary="Open the user's account, one at most",
    dto=JsonBody,
    operation_class=answering_with(LOCATION, REPLAYED),
    responses=_answer(201, http.Account, "Opened", examples.ACCOUNT)
    | problems(*_INVALID_BODY, (409, "account_exists"), *_NOT_WRITTEN),
)
GET_ACCOUNT = Operation(
    operation_id="getAccount",
    summary="The user's account and its balance",
    responses=_answer(200, http.Account, "The account", examples.ACCOUNT)
    | problems(_INVALID, _NO_ACCOUNT, *_AWAY),
)
LIST_TRANSACTIONS = Operation(
    operation_id="listTransactions",
    summary="The account's statement, newest first",
    operation_class=answering_with(LINK),
    responses=_answer(200, list[http.Transaction], "A page", examples.TRANSACTIONS)
    | problems(_INVALID, _NO_ACCOUNT, *_AWAY),
)
DEPOSIT = Operation(
    operation_id="deposit",
    summary="Top the account up",
    dto=JsonBody,
    operation_class=answering_with(REPLAYED),
    status_code=200,
    responses=_DEPOSITED | problems(*_INVALID_BODY, *_NOT_DEPOSITED),
)
DEPOSIT_BY_GET = Operation(
    operation_id="depositByGet",
    summary="Deposit by GET (deprecated; use POST)",
    deprecated=True,
    guards=[not_by_head],
    operation_class=answering_with(REPLAYED),
    tags=["Accounts"],
    middleware=[Deprecated()],
    responses=_DEPOSITED | problems(_INVALID, *_NOT_DEPOSITED),
)
ADMIT_ORDERS = Operation(
    operation_id="admitOrders",
    summary="Whether orders could be paid now, each judged alone (for the orders service)",
    dto=JsonBody,
    status_code=200,
    request_max_body_size=BATCH_BYTES_MAX,
    tags=["Accounts"],
    responses=_answer(
        200, list[str | None], "A reason against each order, or null", [None, "insufficient_funds"]
    )
    | problems(*_INVALID_BODY, *_AWAY),
)

PLACE_ORDER = Operation(
    operation_id="placeOrder",
    summary="Place an order and start its payment",
    dto=JsonBody,
    operation_class=answering_with(LOCATION, REPLAYED),
    responses=_answer(201, http.Order, "Accepted", examples.ORDER)
    | problems(
        *_INVALID_BODY,
        (402, "insufficient_funds"),
        (422, "account_not_found"),
        _KEY_REUSED,
        *_NOT_WRITTEN,
    ),
)
PLACE_ORDERS = Operation(
    operation_id="placeOrders",
    summary="Place 1 to 200 orders, each with its own fate",
    dto=JsonItems,
    before_request=keys_in_the_body,
    status_code=200,
    request_max_body_size=BATCH_BYTES_MAX,
    responses=_answer(
        200, list[http.BatchOutcome], "One outcome an order, in the same order", examples.BATCH_OUTCOMES
    )
    | problems(*_INVALID_BODY, _OVERLOADED),
)
LIST_ORDERS = Operation(
    operation_id="listOrders",
    summary="Orders, oldest first",
    operation_class=answering_with(LINK),
    responses=_answer(200, list[http.Order], "A page", [examples.FINISHED_ORDER])
    | problems(_INVALID, *_AWAY),
)
GET_ORDER = Operation(
    operation_id="getOrder",
    summary="An order and its status",
    operation_class=answering_with(ETAG),
    responses=_answer(200, http.Order, "The order", examples.FINISHED_ORDER)
    | {304: ResponseSpec(None, description="Not changed since it had the tag of If-None-Match")}
    | problems(_INVALID, _NO_ORDER, *_AWAY),
)
GET_HISTORY = Operation(
    operation_id="getOrderHistory",
    summary="Every status that the order ever had, oldest first",
    responses=_answer(200, list[http.StatusChange], "What came after `after`", examples.HISTORY)
    | problems(_INVALID, _NO_ORDER, *_AWAY),
)
CANCEL_ORDER = Operation(
    operation_id="cancelOrder",
    summary="Cancel an order, or refund it where it is paid",
    description="A NEW order gets CANCELLED, or is refunded if its payment was faster; a FINISHED one gets"
    " REFUNDING, then REFUNDED. Repeating the call is harmless. The answer is the order as it is"
    " meanwhile, so a NEW order is still NEW: read it again at `Location`, after `Retry-After` seconds, or"
    " follow its events.",
    status_code=202,
    before_request=nothing_but_a_key,
    operation_class=answering_with(LOCATION, RETRY_AFTER),
    responses=_answer(202, http.Order, "It gets cancelled or refunded", examples.REFUNDING_ORDER)
    | problems(_INVALID, _NO_ORDER, (409, "order_cancelled"), (409, "order_refunded"), *_NOT_WRITTEN),
)
READ_CHANGES = Operation(
    operation_id="readChanges",
    summary="Orders as they were after each of their changes (for the gateway)",
    dto=JsonBody,
    status_code=200,
    responses=_answer(
        200,
        list[list[http.OrderChange]],
        "The life of each order so far, in the same order; an empty one where there is no such order",
        [[{"sequence": 1, "order": examples.ORDER}], []],
    )
    | problems(*_INVALID_BODY, *_AWAY),
)
