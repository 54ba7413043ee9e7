"""The route that lists the recorded changes by operators, in pages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get
from litestar.params import QueryParameter
from msgspec import structs

from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.conventions.caller import calling
from kernel.adapters.http.conventions.paging import PAGE_SIZE, PageLimit, next_page
from kernel.adapters.http.operators.declaring import page
from kernel.application.read_record import ReadRecord
from kernel.contracts.operators import RecordedAct
from kernel.contracts.values import same_fields
from kernel.domain.acts import Act, Place
from kernel.domain.errors import Invalid

PATH = "/record"

_PLACE = (
    r"^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{6})?\+00:00"
    r"~[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}~[a-z_]{1,40}$"
)
AfterAct = Annotated[
    str | None,
    QueryParameter(name="after", description="From the Link header.", schema_extra={"pattern": _PLACE}),
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
LIST_ACTS = page(
    PATH,
    "listActs",
    "What operators did in this service, newest first",
    answer=(list[RecordedAct], "A page", [EXAMPLE]),
)


@get(**LIST_ACTS)
@inject
async def list_acts(
    read_record: FromDishka[ReadRecord], after: AfterAct = None, limit: PageLimit = PAGE_SIZE
) -> JsonAnswer[list[RecordedAct]]:
    acts = await read_record(calling(), after=place_of(after), limit=limit + 1)
    link = next_acts(acts[:limit], limit, more=len(acts) > limit)
    return JsonAnswer([recorded(act) for act in acts[:limit]], headers=link)


def recorded(act: Act, service: str = "") -> RecordedAct:
    return structs.replace(same_fields(act, RecordedAct), service=service)


def next_acts(page: Sequence[Act], limit: int, *, more: bool) -> dict[str, str]:
    """The Link header to the page after `page`; empty if there are no `more` records."""
    after = cursor(page[-1].place) if more else None
    return next_page(f"/ops{PATH}", {"limit": str(limit)}, after=after)


def cursor(place: Place) -> str:
    at, subject, did = place
    return f"{at.isoformat()}~{subject}~{did}"


def place_of(cursor: str | None) -> Place | None:
    """Decodes a cursor; None without a cursor. Raises Invalid, which names `after`."""
    if cursor is None:
        return None
    try:
        at, subject, did = cursor.split("~")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or "\0" in did:
            raise ValueError
        return moment, UUID(subject), did
    except ValueError:
        raise Invalid.field("after", "must come from the Link header") from None
