"""How the service fares now."""

from datetime import datetime

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get

from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.operations import ALWAYS, AWAY, FORBIDDEN, Operation, answering
from kernel.application.read_overview import ReadOverview
from kernel.contracts.operators import ServiceOverview, WaitingEvents
from kernel.contracts.problems import COMMON

PATH = "/overview"

EXAMPLE = ServiceOverview(
    service="orders",
    version="1.0.0",
    schema=8,
    schema_needed=8,
    waiting=[WaitingEvents("shop.orders.order-placed.v1", 3, datetime.fromisoformat("2026-01-01T12:00:00Z"))],
    parked={"order_not_found": 1},
    held=0,
    broker=True,
    paused=False,
    on_time=True,
)
GET_OVERVIEW = Operation(
    path=PATH,
    operation_id="getOverview",
    summary="How this service fares now: what waits, what is parked, broker, versions",
    responses=answering(200, ServiceOverview, "The overview", EXAMPLE)
    | problems(COMMON, *ALWAYS, FORBIDDEN, *AWAY),
)


@get(**GET_OVERVIEW)
@inject
async def get_overview(read: FromDishka[ReadOverview]) -> JsonAnswer[ServiceOverview]:
    seen = await read(calling())
    body = ServiceOverview(
        service=seen.service,
        version=seen.version,
        schema=seen.schema,
        schema_needed=seen.schema_needed,
        waiting=[WaitingEvents(one.type, one.count, one.since) for one in seen.waiting],
        parked=dict(seen.parked),
        held=seen.held,
        broker=seen.broker,
        paused=seen.paused,
        on_time=seen.on_time,
    )
    return JsonAnswer(body)
