"""The route that explains an order by its stored facts and by the reasons why it waits."""

from datetime import datetime
from uuid import UUID

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get

from gateway.application.explain_order import ExplainOrder
from gateway.domain.explained import Explained
from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.operations import ALWAYS, AWAY, FORBIDDEN, Operation, answering
from kernel.adapters.http.operators.facts import EXAMPLE, fact_body
from kernel.contracts.http import Moment, ResponseBody
from kernel.contracts.operators import StoredFact, TraceId, trace_text
from orders.contract import operations
from orders.contract.examples import ORDER
from orders.contract.problems import PROBLEMS


class Wait(ResponseBody, frozen=True, omit_defaults=True):
    """A reason why an order waits. `why` is a stable code. `since` is missing if no time is stored. `until`
    is the time at which orders asks payments again; it is missing if orders will not ask."""

    why: str
    detail: str
    since: Moment | None = None
    until: Moment | None = None


class ExplainedOrder(ResponseBody, frozen=True):
    """`facts` are sorted by time. `unknown` names the services whose facts are missing, in part or in full;
    `causes` gives the reasons. `traceId` is the id, in traces and logs, of the call that placed the order."""

    id: UUID
    user_id: str | None
    trace_id: TraceId | None
    status: str | None
    facts: list[StoredFact]
    waits: list[Wait]
    unknown: list[str]
    causes: dict[str, str]


_AT = datetime.fromisoformat("2026-01-01T12:00:00Z")
_WAIT = Wait("not_published", "orders has not published shop.orders.order-placed.v1", since=_AT)
_ID = UUID(ORDER["id"])
_TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
_EXPLAINED = ExplainedOrder(_ID, "alice", _TRACE_ID, "NEW", [EXAMPLE], [_WAIT], [], {})
EXPLAIN_ORDER = Operation(
    path=f"{operations.OPERATED}{operations.EXPLAIN['path']}",
    operation_id="explainOrder",
    summary="Explain an order: every stored fact of both services, and the reasons why it waits",
    responses=answering(200, ExplainedOrder, "The known facts", _EXPLAINED)
    | problems(PROBLEMS, *ALWAYS, FORBIDDEN, operations.NO_ORDER, *AWAY),
)


@get(**EXPLAIN_ORDER)
@inject
async def explain_order(
    order_id: operations.OrderIdInPath, explain: FromDishka[ExplainOrder]
) -> JsonAnswer[ExplainedOrder]:
    return JsonAnswer(explained_body(order_id, await explain(calling(), order_id)))


def explained_body(order_id: UUID, found: Explained) -> ExplainedOrder:
    return ExplainedOrder(
        id=order_id,
        user_id=found.user_id,
        trace_id=trace_text(found.trace_id),
        status=found.status,
        facts=[fact_body(fact) for fact in found.facts],
        waits=[Wait(wait.why, wait.detail, wait.since, wait.until) for wait in found.waits],
        unknown=list(found.unknown),
        causes=dict(found.unknown),
    )
