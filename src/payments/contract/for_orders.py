"""The operations of payments that only the orders service calls."""

from typing import Annotated

from litestar.params import QueryParameter

from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.operations import (
    ALWAYS,
    AWAY,
    FORBIDDEN,
    INVALID_BODY,
    Operation,
    answering,
    body,
)
from kernel.adapters.http.parsing.body import BATCH_BYTES_MAX, JsonBody
from kernel.contracts.operators import CheckResult
from kernel.contracts.schema import USER_ID_TEXT
from payments.contract import examples, http
from payments.contract.problems import PROBLEMS

AdmissionBody = Annotated[list[http.AdmissionRequest], body([examples.ADMISSION])]
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

_AUDITED = {"userId": "alice", "orderId": "019b7a5c-2f00-7000-8000-000000000001"}
_KNOWN = {**_AUDITED, "known": True, "waiting": False, "decision": "declined", "reason": "insufficient_funds"}

_KEY_OF_ORDER = {"pattern": f"{USER_ID_TEXT[:-1]}~[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$"}


def _key(name: str, description: str) -> QueryParameter:
    return QueryParameter(name=name, description=description, schema_extra=_KEY_OF_ORDER)


AfterClaim = Annotated[str | None, _key("after", "A user and an order, `user~order`: begin behind this key.")]
UntilClaim = Annotated[str | None, _key("until", "Like `after`: end with this key.")]
OrderKeysBody = Annotated[list[http.OrderKey], body([_AUDITED])]

LIST_CLAIMS = Operation(
    path="/claims",
    operation_id="listClaims",
    summary="What was decided about each order, sorted by user and order (for the orders service)",
    responses=answering(200, list[http.Claim], "A page", [{**_AUDITED, "claim": "captured 5000 RUB"}])
    | problems(PROBLEMS, *ALWAYS, FORBIDDEN, *AWAY),
)
READ_CLAIMS = Operation(
    path="/claims",
    operation_id="readClaims",
    summary="All that payments knows of these orders (for the orders service)",
    dto=JsonBody,
    status_code=200,
    responses=answering(200, list[http.KnownPayment], "One an order, in any order", [_KNOWN])
    | problems(PROBLEMS, *INVALID_BODY, FORBIDDEN, *AWAY),
)
RUN_CHECKS = Operation(
    path="/checks",
    operation_id="runChecks",
    summary="Check all accounts, transfers and decisions, which may take long (for the orders service)",
    responses=answering(
        200,
        list[CheckResult],
        "One a check",
        [{"check": "accounts", "count": 1000, "faults": 0, "findings": []}],
    )
    | problems(PROBLEMS, *ALWAYS, FORBIDDEN, *AWAY),
)
