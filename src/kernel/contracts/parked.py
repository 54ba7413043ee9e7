"""JSON bodies of services and the console, about parked messages and operations on them."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from kernel.contracts.http import Moment, RequestBody, ResponseBody, required_text
from kernel.contracts.values import same_fields
from kernel.domain import parked

Place = Literal["parked", "dead letters"]
Note = Annotated[str, required_text(1000, "Why, for the record.")]
Owner = Annotated[str, required_text(200, "Who looks after it.")]
Remark = Annotated[
    str,
    Meta(
        max_length=1000,
        pattern=r"\A[^\x00]*\Z",
        extra={"words": "a string of at most 1000 characters, without U+0000"},
    ),
]

PAYLOAD_IN_LISTS = 1024


class Discard(RequestBody, frozen=True):
    note: Note


class HoldGroup(RequestBody, frozen=True):
    owner: Owner
    note: Remark = ""
    ticket: Remark = ""


class ParkedMessage(ResponseBody, frozen=True):
    """The last of `count` messages that had the same type, subject and reason: one event in the place
    `parked`, a whole message in `dead letters`. `payload` is the beginning of its `size` bytes."""

    id: UUID
    service: str
    group: UUID
    place: Place
    reason: str
    type: str
    subject: str
    detail: str
    count: int
    first_at: Moment
    last_at: Moment
    size: int
    payload: str


class Held(ResponseBody, frozen=True):
    """While a group is held, alarms leave out its messages, also those that are parked later."""

    owner: str
    note: str
    ticket: str
    held_by: str
    held_at: Moment


class ParkedGroup(ResponseBody, frozen=True):
    """Repeated messages share a row: `messages` counts rows, `count` all messages. Both are 0 if none waits:
    a hold outlasts the messages of its group."""

    id: UUID
    service: str
    place: Place
    reason: str
    type: str
    messages: int
    count: int
    oldest_at: Moment | None
    newest_at: Moment | None
    sample: ParkedMessage | None
    held: Held | None


class Operation(ResponseBody, frozen=True):
    """`passed` of `total` messages were looked at. `done` of them had not changed since the operation began,
    and were replayed or discarded. `outcome` says this in words once the operation has ended."""

    id: UUID
    service: str
    kind: Literal["replay", "discard"]
    state: Literal["running", "done"]
    target: UUID
    about: str
    operator: str
    through: str
    note: str
    total: int
    passed: int
    done: int
    began_at: Moment
    ended_at: Moment | None
    outcome: str


def message_body(
    waiting: parked.Waiting, service: str, *, payload_bytes: int = PAYLOAD_IN_LISTS
) -> ParkedMessage:
    cause = waiting.cause
    return ParkedMessage(
        id=waiting.id,
        service=service,
        group=cause.id_in(service),
        place=cause.place,
        reason=cause.reason,
        type=cause.type,
        subject=waiting.subject,
        detail=waiting.detail,
        count=waiting.count,
        first_at=waiting.first_parked_at,
        last_at=waiting.last_parked_at,
        size=waiting.size,
        payload=waiting.beginning[:payload_bytes].decode(errors="replace"),
    )


def group_body(group: parked.Group) -> ParkedGroup:
    figures, hold = group.figures, group.hold
    return ParkedGroup(
        id=group.id,
        service=group.service,
        place=group.cause.place,
        reason=group.cause.reason,
        type=group.cause.type,
        messages=figures.messages if figures else 0,
        count=figures.count if figures else 0,
        oldest_at=figures.oldest_at if figures else None,
        newest_at=figures.newest_at if figures else None,
        sample=message_body(figures.sample, group.service) if figures else None,
        held=same_fields(hold, Held) if hold else None,
    )


def operation_body(operation: parked.Operation, service: str) -> Operation:
    return Operation(
        id=operation.id,
        service=service,
        kind=operation.kind.value,
        state=operation.state,
        target=operation.target,
        about=operation.about,
        operator=operation.operator,
        through=operation.through,
        note=operation.note,
        total=operation.total,
        passed=operation.passed,
        done=operation.done,
        began_at=operation.began_at,
        ended_at=operation.ended_at,
        outcome=operation.outcome,
    )
