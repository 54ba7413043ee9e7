"""The HTTP operations of the payments service. The gateway offers them too."""

from typing import Annotated
from uuid import UUID

from litestar.openapi.spec import Example, Link
from litestar.params import PathParameter, QueryParameter

from kernel.adapters.http.conventions.by_head import not_by_head
from kernel.adapters.http.conventions.headers import LINK, LOCATION, REPLAYED, answering_with
from kernel.adapters.http.conventions.legacy import Deprecated
from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.operations import (
    ALWAYS,
    AWAY,
    FORBIDDEN,
    INVALID_BODY,
    KEY_REUSED,
    NOT_WRITTEN,
    Operation,
    answering,
    body,
    to,
)
from kernel.adapters.http.operators.facts import explain
from kernel.adapters.http.parsing.body import JsonBody
from kernel.contracts.http import Noted
from kernel.contracts.schema import AMOUNT_TEXT, USER_ID_TEXT
from kernel.contracts.values import Amount, Instant, UserId
from payments.contract import examples, http
from payments.contract.problems import PROBLEMS

# The paths of all operations begin with these. OPERATED is below the path of the operators' routes.
ROUTE = "/api/Accounts"
OPERATED = "/accounts"

OpenAccountBody = Annotated[http.OpenAccount, body(examples.OPEN_ACCOUNT)]
DepositBody = Annotated[http.Deposit, body(examples.DEPOSIT)]
NotedBody = Annotated[Noted, body(examples.NOTED)]
CorrectionBody = Annotated[http.Correction, body(examples.CORRECTION)]
UserIdInPath = Annotated[
    str,
    PathParameter(name="userId", schema_extra={"pattern": USER_ID_TEXT}, examples=[Example(value="alice")]),
]
AmountInQuery = Annotated[
    str,
    Amount,
    QueryParameter(
        name="amount",
        description="The amount, as in the body of the POST.",
        schema_extra={"pattern": AMOUNT_TEXT},
        examples=[Example(value="100.00")],
    ),
]

AtInQuery = Annotated[
    str | None,
    Instant,
    QueryParameter(
        name="at",
        description="The time of the balance: RFC 3339, not in the future. For a time in the last seconds,"
        " transfers under way may still change the balance. Write the `+` of an offset as `%2B`.",
        schema_extra={"format": "date-time"},
        examples=[Example(value=examples.ACCOUNT["createdAt"])],
    ),
]

# The path of a GET that changes data ends with one of these.
WRITTEN_BY_GET = ("/deposit",)

_FROM_ACCOUNT = to("getAccount", "deposit", "listTransactions", userId="$response.body#/userId")
# The body of an order that spends the deposited amount.
_SPENT = {"userId": "$response.body#/userId", "amount": "$request.body#/amount"}
_FROM_DEPOSIT = _FROM_ACCOUNT | {"placeOrder": Link(operation_id="placeOrder", request_body=_SPENT)}

_NO_ACCOUNT = (404, "account_not_found")
_DEPOSITED = answering(200, http.Deposited, "The balance right after this deposit", examples.DEPOSITED)
_NOT_BOOKED = (FORBIDDEN, _NO_ACCOUNT, (422, "balance_limit"), KEY_REUSED, *NOT_WRITTEN)
_NOT_DEPOSITED = (*_NOT_BOOKED, (403, "account_frozen"))
_NOT_FROZEN = problems(PROBLEMS, *INVALID_BODY, FORBIDDEN, _NO_ACCOUNT, *NOT_WRITTEN)

OPEN_ACCOUNT = Operation(
    operation_id="openAccount",
    summary="Open the user's account; a user has at most one",
    dto=JsonBody,
    operation_class=answering_with(LOCATION, REPLAYED, links=_FROM_ACCOUNT),
    responses=answering(201, http.Account, "Opened", examples.ACCOUNT)
    | problems(PROBLEMS, *INVALID_BODY, FORBIDDEN, (409, "account_exists"), *NOT_WRITTEN),
)
GET_ACCOUNT = Operation(
    path="/{userId:str}",
    operation_id="getAccount",
    summary="The user's account and its balance, now or at an earlier time",
    operation_class=answering_with(links=_FROM_ACCOUNT),
    responses=answering(200, http.Account, "The account", examples.ACCOUNT)
    | problems(PROBLEMS, *ALWAYS, _NO_ACCOUNT, *AWAY),
)
LIST_TRANSACTIONS = Operation(
    path="/{userId:str}/transactions",
    operation_id="listTransactions",
    summary="The account's statement, newest first",
    operation_class=answering_with(LINK),
    responses=answering(200, list[http.Transaction], "A page", examples.TRANSACTIONS)
    | problems(PROBLEMS, *ALWAYS, _NO_ACCOUNT, *AWAY),
)
DEPOSIT = Operation(
    path="/{userId:str}/deposit",
    operation_id="deposit",
    summary="Deposit to the account",
    dto=JsonBody,
    operation_class=answering_with(REPLAYED, links=_FROM_DEPOSIT),
    status_code=200,
    responses=_DEPOSITED | problems(PROBLEMS, *INVALID_BODY, *_NOT_DEPOSITED),
)
DEPOSIT_BY_GET = Operation(
    operation_id="depositByGet",
    summary="Deposit by GET (deprecated; use POST)",
    deprecated=True,
    guards=[not_by_head],
    operation_class=answering_with(REPLAYED),
    tags=["Accounts"],
    middleware=[Deprecated("@1767225600")],  # 2026-01-01
    responses=_DEPOSITED | problems(PROBLEMS, *ALWAYS, *_NOT_DEPOSITED),
)
FREEZE_ACCOUNT = Operation(
    path="/{userId:str}/freeze",
    operation_id="freezeAccount",
    summary="Freeze the account: it pays no order and takes no deposit, but still receives refunds",
    dto=JsonBody,
    status_code=200,
    responses=answering(200, http.Account, "The account is frozen", {**examples.ACCOUNT, "frozen": True})
    | _NOT_FROZEN,
)
UNFREEZE_ACCOUNT = Operation(
    path="/{userId:str}/unfreeze",
    operation_id="unfreezeAccount",
    summary="Unfreeze the account",
    dto=JsonBody,
    status_code=200,
    responses=answering(200, http.Account, "The account is not frozen", examples.ACCOUNT) | _NOT_FROZEN,
)
CORRECT_ACCOUNT = Operation(
    path="/{userId:str}/correct",
    operation_id="correctAccount",
    summary="Correct the balance by an amount, which may be negative; `Idempotency-Key` is required",
    dto=JsonBody,
    operation_class=answering_with(REPLAYED),
    status_code=200,
    responses=answering(200, http.Deposited, "The balance right after this correction", examples.DEPOSITED)
    | problems(PROBLEMS, *INVALID_BODY, (402, "insufficient_funds"), *_NOT_BOOKED),
)
OPERATED_ORDERS = "/orders"
OrderIdInPath = Annotated[
    UUID, PathParameter(name="id", examples=[Example(value=examples.TRANSACTIONS[0]["orderId"])])
]
OwnerOfOrder = Annotated[
    str | None,
    UserId,
    QueryParameter(
        name="userId",
        description="The user of the order. Without this parameter, the decision names the user.",
        schema_extra={"pattern": USER_ID_TEXT},
        examples=[Example(value="alice")],
    ),
]
EXPLAIN = explain("payments")
