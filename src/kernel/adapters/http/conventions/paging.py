"""Keyset paging: a Link header leads to the next page (RFC 8288, `rel="next"`)."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from litestar.params import QueryParameter

PAGE_SIZE = 100
PAGE_SIZE_MAX = 500
SEQUENCE_MAX = 2**63 - 1  # the largest bigint of PostgreSQL

PageLimit = Annotated[
    int,
    QueryParameter(name="limit", ge=1, le=PAGE_SIZE_MAX, description="How many at most; 100 if not given."),
]
After = Annotated[UUID | None, QueryParameter(name="after", description="From the Link header.")]
AfterSequence = Annotated[
    int | None,
    QueryParameter(
        name="after",
        ge=0,
        le=SEQUENCE_MAX,
        description="The last sequence seen.",
        schema_extra={"minimum": 0},  # Litestar leaves out a bound of 0.
    ),
]


def next_page(path: str, query: dict[str, str | None], *, after: str | None) -> dict[str, str]:
    """The Link header to the page that begins after the entry `after`; empty if `after` is None."""
    if after is None:
        return {}
    given = {name: value for name, value in query.items() if value is not None}
    return {"Link": f'<{path}?{urlencode({**given, "after": after})}>; rel="next"'}
