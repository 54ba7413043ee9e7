"""The route for the overview of a service: waiting events, parked messages, broker, versions."""

from datetime import datetime

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get

from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.operators.declaring import read
from kernel.application.read_overview import ReadOverview
from kernel.contracts.operators import ServiceOverview, SetAsideEvents, WaitingEvents
from kernel.contracts.values import same_fields

PATH = "/overview"

EXAMPLE = ServiceOverview(
    service="orders",
    version="1.0.0",
    schema=8,
    schema_needed=8,
    waiting=[WaitingEvents("shop.orders.order-placed.v1", 3, datetime.fromisoformat("2026-01-01T12:00:00Z"))],
    set_aside=[SetAsideEvents(2, 5, datetime.fromisoformat("2026-01-01T12:00:00Z"))],
    parked={"order_not_found": 1},
    held=0,
    broker=True,
    paused=False,
    on_time=True,
)
GET_OVERVIEW = read(
    PATH,
    "getOverview",
    "The state of this service now: waiting events, parked messages, broker, versions",
    answer=(ServiceOverview, "The overview", EXAMPLE),
)


@get(**GET_OVERVIEW)
@inject
async def get_overview(read: FromDishka[ReadOverview]) -> JsonAnswer[ServiceOverview]:
    return JsonAnswer(same_fields(await read(calling()), ServiceOverview))
