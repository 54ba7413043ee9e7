"""What the HTTP bodies of all services share."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

IdempotencyKey = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern=r"\A[\x20-\x7e]*\Z",
        description="Printable ASCII.",
        extra={"words": "a string of 1 to 255 printable ASCII characters"},
    ),
]
# A text of PostgreSQL cannot hold U+0000, and whoever must say something says more than spaces.
SAID = r"\A[^\x00]*[^\x00\s][^\x00]*\Z"
Note = Annotated[
    str,
    Meta(
        max_length=500,
        pattern=SAID,
        description="Why, for the record. Free text, not only spaces, without U+0000.",
        extra={"words": "a string of 1 to 500 characters, not only spaces, without U+0000"},
    ),
]
Moment = Annotated[datetime, Meta(tz=True)]


class RequestBody(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    pass


class Noted(RequestBody, frozen=True):
    note: Note


class ResponseBody(msgspec.Struct, frozen=True, rename="camel"):
    pass


class FieldProblem(ResponseBody, frozen=True):
    field: str
    message: str


class Problem(ResponseBody, frozen=True, omit_defaults=True):
    """RFC 9457, with a stable machine word in `code` and the fields that are to blame in `errors`."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[FieldProblem] = []


class Health(ResponseBody, frozen=True):
    """`degraded` names what refuses or delays work, which makes the shop late, not wrong: `database`,
    `rabbitmq` (what was committed is not published, or what arrives is not handled), or a service that this
    one calls."""

    status: Literal["live", "ready"]
    degraded: list[str] = []
