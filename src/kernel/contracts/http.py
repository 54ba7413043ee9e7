"""Types that the HTTP bodies of all services share."""

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


def required_text(max_length: int, description: str) -> Meta:
    """Text that is not only spaces. PostgreSQL cannot store U+0000."""
    return Meta(
        max_length=max_length,
        pattern=r"\A[^\x00]*[^\x00\s][^\x00]*\Z",
        description=description,
        extra={"words": f"a string of 1 to {max_length} characters, not only spaces, without U+0000"},
    )


Note = Annotated[str, required_text(500, "Why, for the record. Free text, not only spaces, without U+0000.")]
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
    """RFC 9457. `code` is a stable word for programs; `errors` names the fields that are at fault."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[FieldProblem] = []


class Health(ResponseBody, frozen=True):
    """`degraded` names what delays or refuses a part of the work: `database`, `rabbitmq` (committed events
    are not published, or received messages not handled), `paused` (an operator paused the consumer),
    `rate-limit` (replicas do not count together), or a service that this one calls."""

    status: Literal["live", "ready"]
    degraded: list[str] = []
