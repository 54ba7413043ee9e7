"""What operators did, a page of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get
from litestar.params import QueryParameter

from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.headers import LINK, answering_with
from kernel.adapters.http.conventions.paging import PAGE_SIZE, PageLimit, next_page
from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.operations import ALWAYS, AWAY, FORBIDDEN, Operation, answering
from kernel.application.read_record import ReadRecord
from kernel.contracts.operators import RecordedAct
from kernel.contracts.problems import COMMON
from kernel.domain.acts import Act, Place
from kernel.domain.errors import Invalid

PATH = "/record"

_PLACE = (
    r"^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{6})?\+00:00"
    r"~[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}~[a-z_]{1,40}$"
)
AfterAct = Annotated[
    str | None,
    QueryParameter(name="after", description="As in the Link header.", schema_extra={"pattern": _PLACE}),
]

EXAMPLE = RecordedAct(
    at=datetime.fromisoformat("2026-01-01T12:00:00Z"),
    did="cancel_order",
    operator="ada",
    subject=UUID("019b7a5c-2f00-7000-8000-000000000001"),
    through="gateway",
    user_id="alice",
    note="asked for by phone",
)
LIST_ACTS = Operation(
    path=PATH,
    operation_id="listActs",
    summary="What operators did in this service, newest first",
    operation_class=answering_with(LINK),
    responses=answering(200, list[RecordedAct], "A page", [EXAMPLE])
    | problems(COMMON, *ALWAYS, FORBIDDEN, *AWAY),
)


@get(**LIST_ACTS)
@inject
async def list_acts(
    read_record: FromDishka[ReadRecord], after: AfterAct = None, limit: PageLimit = PAGE_SIZE
) -> JsonAnswer[list[RecordedAct]]:
    acts = await read_record(calling(), after=place_of(after), limit=limit + 1)
    return JsonAnswer(
        [recorded(act) for act in acts[:limit]],
        headers=next_acts(acts[:limit], limit, more=len(acts) > limit),
    )


def recorded(act: Act, service: str = "") -> RecordedAct:
    return RecordedAct(
        at=act.at,
        did=act.did,
        operator=act.operator,
        subject=act.subject,
        through=act.through,
        user_id=act.user_id,
        about=act.about,
        note=act.note,
        service=service,
    )


def next_acts(page: Sequence[Act], limit: int, *, more: bool) -> dict[str, str]:
    """The Link header to what follows the page."""
    after = cursor(page[-1].place) if more else None
    return next_page(f"/ops{PATH}", {"limit": str(limit)}, after=after)


def cursor(place: Place) -> str:
    at, subject, did = place
    return f"{at.isoformat()}~{subject}~{did}"


def place_of(cursor: str | None) -> Place | None:
    """Raises Invalid, which names `after`."""
    if cursor is None:
        return None
    try:
        at, subject, did = cursor.split("~")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or "\0" in did:
            raise ValueError
        return moment, UUID(subject), did
    except ValueError:
        raise Invalid.field("after", "must be as in the Link header") from None
