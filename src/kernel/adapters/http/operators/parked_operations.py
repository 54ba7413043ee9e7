"""Declares the operations on parked messages, for the routes of the services and of the gateway."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar.openapi.spec import Example
from litestar.params import PathParameter, QueryParameter

from kernel.adapters.http.conventions.headers import LOCATION, answering_with
from kernel.adapters.http.documents.operations import Operation, body
from kernel.adapters.http.operators.declaring import change, page, read
from kernel.contracts import parked

_AT = datetime.fromisoformat("2026-01-01T12:00:00Z")
_MESSAGE = "019b7a5c-2f00-7000-8000-00000000000a"
_GROUP = "6d2f1a52-5a0b-5d6b-9d0e-6c2b4a3e9b1f"

DISCARD = {"note": "a stray test"}
HOLD = {"owner": "ada", "note": "waits for the fix", "ticket": "OPS-7"}
MESSAGE = parked.ParkedMessage(
    id=UUID(_MESSAGE),
    service="orders",
    group=UUID(_GROUP),
    place="parked",
    reason="order_not_found",
    type="shop.payments.payment-captured.v1",
    subject="019b7a5c-2f00-7000-8000-000000000001",
    detail="there is no such order",
    count=1,
    first_at=_AT,
    last_at=_AT,
    size=2,
    payload="{}",
)
GROUP = parked.ParkedGroup(
    id=UUID(_GROUP),
    service="orders",
    place="parked",
    reason="order_not_found",
    type="shop.payments.payment-captured.v1",
    messages=1,
    count=1,
    oldest_at=_AT,
    newest_at=_AT,
    sample=MESSAGE,
    held=parked.Held("ada", "waits for the fix", "OPS-7", "ada", _AT),
)
OPERATION = parked.Operation(
    id=UUID("019b7a5c-2f00-7000-8000-00000000000b"),
    service="orders",
    kind="replay",
    state="done",
    target=UUID(_GROUP),
    about=f"group {_GROUP} of orders: parked, order_not_found, shop.payments.payment-captured.v1",
    operator="ada",
    through="gateway",
    note="",
    total=1,
    passed=1,
    done=1,
    began_at=_AT,
    ended_at=_AT,
    outcome="1 of 1 went back to their consumer",
)

MessageId = Annotated[UUID, PathParameter(name="id", examples=[Example(value=_MESSAGE)])]
GroupId = Annotated[UUID, PathParameter(name="id", examples=[Example(value=_GROUP)])]
OperationId = Annotated[UUID, PathParameter(name="id", examples=[Example(value=str(OPERATION.id))])]
InGroup = Annotated[UUID | None, QueryParameter(name="group", description="Only messages of this group.")]
DiscardBody = Annotated[parked.Discard, body(DISCARD)]
HoldBody = Annotated[parked.HoldGroup, body(HOLD)]

_NO_MESSAGE, _NO_GROUP = (404, "message_not_found"), (404, "group_not_found")


def _begins(
    path: str, operation_id: str, summary: str, *missing: tuple[int, str], noted: bool = False
) -> Operation:
    """Declares a POST that starts an operation in the background. If `noted`, its body holds a note."""
    answer = (parked.Operation, "It began; Location leads to its progress", OPERATION)
    begun = change(path, operation_id, summary, *missing, answer=answer, status=202, has_body=noted)
    return begun | Operation(
        description="It concerns the messages parked now, not newer ones. It continues after a restart.",
        operation_class=answering_with(LOCATION),
    )


LIST_PARKED = page(
    "/parked",
    "listParked",
    "Messages that could not be handled, in the order of their ids",
    _NO_GROUP,
    answer=(list[parked.ParkedMessage], "A page", [MESSAGE]),
)
GET_PARKED = read(
    "/parked/{id:str}",
    "getParked",
    "A message that could not be handled",
    _NO_MESSAGE,
    answer=(parked.ParkedMessage, "The message", MESSAGE),
)
REPLAY_PARKED = _begins(
    "/parked/{id:str}/replay", "replayParked", "Give a message to its consumer again", _NO_MESSAGE
)
DISCARD_PARKED = _begins(
    "/parked/{id:str}/discard", "discardParked", "Discard a message", _NO_MESSAGE, noted=True
)
LIST_GROUPS = page(
    "/parked/groups",
    "listParkedGroups",
    "Parked messages grouped by service, place, reason and type",
    answer=(list[parked.ParkedGroup], "A page, in the order of their ids", [GROUP]),
)
GET_GROUP = read(
    "/parked/groups/{id:str}",
    "getParkedGroup",
    "A group of parked messages",
    _NO_GROUP,
    answer=(parked.ParkedGroup, "The group", GROUP),
)
HOLD_GROUP = change(
    "/parked/groups/{id:str}/hold",
    "holdParkedGroup",
    "Hold a group: it raises no alarm, nor do messages that join it",
    _NO_GROUP,
    answer=(parked.ParkedGroup, "The group", GROUP),
    has_body=True,
)
RELEASE_GROUP = change(
    "/parked/groups/{id:str}/release",
    "releaseParkedGroup",
    "Release a group: it raises alarms again",
    _NO_GROUP,
    answer=(parked.ParkedGroup, "The group", GROUP),
    has_body=False,
)
REPLAY_GROUP = _begins(
    "/parked/groups/{id:str}/replay",
    "replayParkedGroup",
    "Give all messages of a group to their consumer again",
    _NO_GROUP,
    _NO_MESSAGE,
)
DISCARD_GROUP = _begins(
    "/parked/groups/{id:str}/discard",
    "discardParkedGroup",
    "Discard all messages of a group",
    _NO_GROUP,
    _NO_MESSAGE,
    noted=True,
)
GET_OPERATION = read(
    "/operations/{id:str}",
    "getOperation",
    "The progress of an operation, and its outcome",
    (404, "operation_not_found"),
    answer=(parked.Operation, "The operation", OPERATION),
)
