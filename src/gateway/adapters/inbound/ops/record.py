from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get

from gateway.application.read_record import ReadRecord
from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.paging import PAGE_SIZE, PageLimit
from kernel.adapters.http.operators.declaring import page
from kernel.adapters.http.operators.record import EXAMPLE, PATH, AfterAct, next_acts, place_of, recorded
from kernel.contracts.http import ResponseBody
from kernel.contracts.operators import RecordedAct


class Record(ResponseBody, frozen=True):
    """`unknown` names the services that did not answer; their acts are missing."""

    acts: list[RecordedAct]
    unknown: list[str]


READ_RECORD = page(
    PATH,
    "readRecord",
    "The acts of operators, newest first",
    answer=(Record, "A page", Record([EXAMPLE], ["payments"])),
)


@get(**READ_RECORD)
@inject
async def read_record(
    read: FromDishka[ReadRecord], after: AfterAct = None, limit: PageLimit = PAGE_SIZE
) -> JsonAnswer[Record]:
    found = await read(calling(), after=place_of(after), limit=limit)
    link = next_acts([act for _, act in found.items], limit, more=found.more)
    acts = [recorded(act, service) for service, act in found.items]
    return JsonAnswer(Record(acts, list(found.unknown)), headers=link)
