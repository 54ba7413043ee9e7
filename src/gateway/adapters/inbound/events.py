"""The route that streams an order's status changes as server-sent events (HTML standard, section 9.2)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import HeaderParameter
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Meta

from gateway.adapters.inbound.answers import PROBLEMS
from gateway.application.hub import Hub
from gateway.application.watch import Watch
from gateway.wire import ORDERS
from kernel.adapters.http.conventions.caller import CURRENT
from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.operations import ALWAYS, OVERLOADED
from kernel.adapters.identity import bearer
from kernel.adapters.networks import subscriber_in
from kernel.contracts.http import ResponseBody
from kernel.contracts.values import encode
from kernel.domain.errors import Unauthenticated, Unavailable
from kernel.ports.tokens import Tokens
from orders.contract import examples, operations

# The path of a stream ends with one of these.
STREAMS = ("/events",)
HEARTBEAT_S = 15.0
# A client that reads nothing for this long is dropped. It may reconnect with its Last-Event-ID.
TAKEN_WITHIN_S = 15.0

_EXAMPLE = {"event": "status", "id": "2", "data": encode(examples.FINISHED_ORDER).decode()}
_HEARTBEAT = b":\n\n"
_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # Otherwise nginx buffers the events.
]

LastEventId = Annotated[
    str | None,
    HeaderParameter(
        name="Last-Event-ID",
        description="The `id` of the last event that the client received. An unreadable value is ignored.",
        examples=[Example(value="1")],
    ),
]


class StatusEvent(ResponseBody, frozen=True):
    """One event of an order's stream. `id` is the number of a change in the order's history. `data` is the
    order right after this change. OpenAPI 3.1 cannot describe the stream itself."""

    event: Literal["status"]
    id: Annotated[str, Meta(pattern="^[1-9][0-9]*$")]
    data: Annotated[
        str,
        Meta(
            extra_json_schema={
                "contentMediaType": "application/json",
                "contentSchema": {"$ref": "#/components/schemas/Order"},
            }
        ),
    ]


def _event(sequence: int, order: bytes) -> bytes:
    # A line break would end the data. JSON has line breaks only between tokens, so they can be removed.
    return b"event: status\nid: %d\ndata: %s\n\n" % (sequence, order.translate(None, b"\r\n"))


@get(
    f"{ORDERS}/{{id:str}}/events",
    operation_id="watchOrder",
    summary="Stream the status changes of an order as server-sent events",
    description=(
        "The stream begins with all changes after `Last-Event-ID`; without it, with all changes. Then it"
        " sends each change when it happens. Comments are heartbeats. The stream ends once the order is"
        " FINISHED, CANCELLED or REFUNDED."
    ),
    tags=["Orders"],
    responses={
        200: ResponseSpec(
            StatusEvent,
            media_type="text/event-stream",
            generate_examples=False,
            description="A stream of events like this example; `id` is the `sequence` in the history",
            examples=[Example(value=_EXAMPLE)],
        ),
        204: ResponseSpec(None, description="The order ended with the event that `Last-Event-ID` names"),
    }
    | problems(
        PROBLEMS, *ALWAYS, operations.NO_ORDER, (429, "too_many_streams"), (503, "unavailable"), OVERLOADED
    ),
)
@inject
async def watch_order(
    order_id: operations.OrderIdInPath,
    hub: FromDishka[Hub],
    tokens: FromDishka[Tokens],
    last_event_id: LastEventId = None,
) -> ASGIApp:
    return EventStream(hub, tokens, order_id, place_of(last_event_id or ""))


def place_of(last_event_id: str) -> int:
    """Returns the number in `last_event_id`. If that is unreadable: 0, which precedes the first event."""
    return int(last_event_id) if last_event_id.isdecimal() and len(last_event_id) < 10 else 0


@dataclass
class EventStream:
    """A stream as a plain ASGI application. Thousands may be open, so each stream has only two tasks."""

    hub: Hub
    tokens: Tokens
    order_id: UUID
    place: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = subscriber_in(scope)
        verified = CURRENT.get()
        async with self.hub.watch(verified.caller, self.order_id, place=self.place, address=address) as watch:
            if watch.finished:
                await send({"type": "http.response.start", "status": 204, "headers": []})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            leaving = asyncio.create_task(_cancel_when_gone(watch, receive))
            try:
                await _stream(watch, send, verified.until, self._is_believed)
            finally:
                leaving.cancel()

    async def _is_believed(self) -> bool:
        """Whether the caller's token is still valid. The provider may have withdrawn its signing key."""
        token = bearer.CURRENT.get()
        try:
            return not token or bool(self.tokens.remembered(token) or await self.tokens.verify(token))
        except Unavailable:
            return True  # The keys cannot be fetched now. That is no reason to end the stream.
        except Unauthenticated:
            return False


async def _cancel_when_gone(watch: Watch, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    watch.cancel()


async def _stream(watch: Watch, send: Send, until: float, is_believed: Callable[[], Awaitable[bool]]) -> None:
    """Sends changes until the caller's token expires, at `until` (seconds since 1970). A token that becomes
    invalid earlier ends the stream within a heartbeat. The client reconnects with a new token."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    while not watch.over and (left_s := until - time.time()) > 0 and await is_believed():
        change = await watch.next(within_s=min(HEARTBEAT_S, left_s))
        chunk = _event(change.sequence, change.order) if change else _HEARTBEAT
        try:
            async with asyncio.timeout(TAKEN_WITHIN_S):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except TimeoutError:
            return
    await send({"type": "http.response.body", "body": b"", "more_body": False})
