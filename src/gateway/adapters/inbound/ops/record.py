from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get

from gateway.application.read_record import ReadRecord
from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.headers import LINK, answering_with
from kernel.adapters.http.conventions.paging import PAGE_SIZE, PageLimit
from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.operations import ALWAYS, AWAY, FORBIDDEN, Operation, answering
from kernel.adapters.http.operators.record import EXAMPLE, PATH, AfterAct, next_acts, place_of, recorded
from kernel.contracts.http import ResponseBody
from kernel.contracts.operators import RecordedAct
from kernel.contracts.problems import COMMON


class Record(ResponseBody, frozen=True):
    """`unknown` names the services that do not answer: what was recorded there is missing."""

    acts: list[RecordedAct]
    unknown: list[str]


READ_RECORD = Operation(
    path=PATH,
    operation_id="readRecord",
    summary="What operators did, newest first",
    operation_class=answering_with(LINK),
    responses=answering(200, Record, "A page", Record([EXAMPLE], ["payments"]))
    | problems(COMMON, *ALWAYS, FORBIDDEN, *AWAY),
)


@get(**READ_RECORD)
@inject
async def read_record(
    read: FromDishka[ReadRecord], after: AfterAct = None, limit: PageLimit = PAGE_SIZE
) -> JsonAnswer[Record]:
    joined = await read(calling(), after=place_of(after), limit=limit)
    link = next_acts([act for _, act in joined.acts], limit, more=joined.more)
    acts = [recorded(act, service) for service, act in joined.acts]
    return JsonAnswer(Record(acts, list(joined.unknown)), headers=link)
