"""The operations of payments that only the orders service calls."""

from typing import Annotated

from litestar.params import QueryParameter

from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.operations import (
    AWAY,
    FORBIDDEN,
    INVALID_BODY,
    Operation,
    answering,
    body,
)
from kernel.adapters.http.operators.declaring import read
from kernel.adapters.http.parsing.body import BATCH_BYTES_MAX, JsonBody
from kernel.contracts.operators import CheckResult
from kernel.contracts.schema import USER_ID_TEXT
from payments.contract import examples, http
from payments.contract.problems import PROBLEMS

AdmissionBody = Annotated[list[http.AdmissionRequest], body([examples.ADMISSION])]
ADMIT_ORDERS = Operation(
    path="/api/Admission",
    operation_id="admitOrders",
    summary="Check whether each order, by itself, could be paid now (for the orders service)",
    dto=JsonBody,
    status_code=200,
    request_max_body_size=BATCH_BYTES_MAX,
    tags=["Accounts"],
    responses=answering(
        200, list[str | None], "For each order a reason to refuse it, or null", [None, "insufficient_funds"]
    )
    | problems(PROBLEMS, *INVALID_BODY, FORBIDDEN, *AWAY),
)

_AUDITED = {"userId": "alice", "orderId": "019b7a5c-2f00-7000-8000-000000000001"}
_KNOWN = {**_AUDITED, "known": True, "waiting": False, "decision": "declined", "reason": "insufficient_funds"}

_KEY_OF_ORDER = {"pattern": f"{USER_ID_TEXT[:-1]}~[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$"}


def _key(name: str, description: str) -> QueryParameter:
    return QueryParameter(name=name, description=description, schema_extra=_KEY_OF_ORDER)


AfterClaim = Annotated[str | None, _key("after", "The last order of the page before, as `user~order`.")]
UntilClaim = Annotated[str | None, _key("until", "Like `after`. The page has no later order.")]
OrderKeysBody = Annotated[list[http.OrderKey], body([_AUDITED])]

LIST_CLAIMS = read(
    "/claims",
    "listClaims",
    "The decisions about orders, sorted by user and order (for the orders service)",
    answer=(list[http.Claim], "A page", [{**_AUDITED, "claim": "captured 5000 RUB"}]),
)
READ_CLAIMS = Operation(
    path="/claims",
    operation_id="readClaims",
    summary="The stored decisions and transfers of these orders (for the orders service)",
    dto=JsonBody,
    status_code=200,
    responses=answering(200, list[http.KnownPayment], "One item for each order, in any sequence", [_KNOWN])
    | problems(PROBLEMS, *INVALID_BODY, FORBIDDEN, *AWAY),
)
RUN_CHECKS = read(
    "/checks",
    "runChecks",
    "Check all accounts, transfers and decisions, which may take long (for the orders service)",
    answer=(list[CheckResult], "One result for each check", [CheckResult("accounts", 1000, 0, [])]),
)
