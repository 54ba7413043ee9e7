"""The operations of payments, which the gateway offers too."""

from typing import Annotated

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
from kernel.adapters.http.parsing.body import BATCH_BYTES_MAX, JsonBody
from kernel.contracts.schema import AMOUNT_TEXT, USER_ID_TEXT
from kernel.contracts.values import Amount
from payments.contract import examples, http
from payments.contract.problems import PROBLEMS

# Where the service offers accounts; the path of each operation on them is below it.
ROUTE = "/api/Accounts"

OpenAccountBody = Annotated[http.OpenAccount, body(examples.OPEN_ACCOUNT)]
DepositBody = Annotated[http.Deposit, body(examples.DEPOSIT)]
AdmissionBody = Annotated[list[http.AdmissionRequest], body([examples.ADMISSION])]

UserIdInPath = Annotated[
    str,
    PathParameter(name="userId", schema_extra={"pattern": USER_ID_TEXT}, examples=[Example(value="alice")]),
]
AmountInQuery = Annotated[
    str,
    Amount,
    QueryParameter(
        name="amount",
        description="As in the POST's body.",
        schema_extra={"pattern": AMOUNT_TEXT},
        examples=[Example(value="100.00")],
    ),
]

# The paths of GETs that change something end so.
WRITTEN_BY_GET = ("/deposit",)

_FROM_ACCOUNT = to("getAccount", "deposit", "listTransactions", userId="$response.body#/userId")
# An order of the amount that came in.
_SPENT = {"userId": "$response.body#/userId", "amount": "$request.body#/amount"}
_FROM_DEPOSIT = _FROM_ACCOUNT | {"placeOrder": Link(operation_id="placeOrder", request_body=_SPENT)}

_NO_ACCOUNT = (404, "account_not_found")
_DEPOSITED = answering(200, http.Deposited, "The balance right after this deposit", examples.DEPOSITED)
_NOT_DEPOSITED = (FORBIDDEN, _NO_ACCOUNT, (422, "balance_limit"), KEY_REUSED, *NOT_WRITTEN)

OPEN_ACCOUNT = Operation(
    operation_id="openAccount",
    summary="Open the user's account, one at most",
    dto=JsonBody,
    operation_class=answering_with(LOCATION, REPLAYED, links=_FROM_ACCOUNT),
    responses=answering(201, http.Account, "Opened", examples.ACCOUNT)
    | problems(PROBLEMS, *INVALID_BODY, FORBIDDEN, (409, "account_exists"), *NOT_WRITTEN),
)
GET_ACCOUNT = Operation(
    path="/{userId:str}",
    operation_id="getAccount",
    summary="The user's account and its balance",
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
    summary="Top the account up",
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
ADMIT_ORDERS = Operation(
    path="/api/Admission",
    operation_id="admitOrders",
    summary="Whether orders could be paid now, each checked alone (for the orders service)",
    dto=JsonBody,
    status_code=200,
    request_max_body_size=BATCH_BYTES_MAX,
    tags=["Accounts"],
    responses=answering(
        200, list[str | None], "A reason against each order, or null", [None, "insufficient_funds"]
    )
    | problems(PROBLEMS, *INVALID_BODY, FORBIDDEN, *AWAY),
)
