"""CloudEvents 1.0 in JSON: what the outbox stores and the bus carries."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import msgspec

from kernel.adapters import request_id
from kernel.adapters.trace_context import valid
from kernel.application.envelopes import ENVELOPE_EVENTS_MAX
from kernel.contracts.values import decoder, encode
from kernel.domain.events import Event, MessageId, Received, Unhandled
from kernel.ports.bus import DeadLetter, Unreadable

E = TypeVar("E", bound=Event)

# The fields of an event that name the call behind it.
Origin = Mapping[str, str]
# For each type that is understood the struct of its data, and what makes the fact of data and origin.
Decoders = Mapping[str, tuple[type[msgspec.Struct], Callable[[Any, Origin], E]]]
Name = Annotated[str, msgspec.Meta(min_length=1)]


class CloudEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    id: Name
    source: Name
    type: Name
    specversion: Literal["1.0"]
    subject: str = ""
    time: datetime | None = None
    traceparent: str = ""
    # The shop writes strings; an event of another publisher is accepted whatever it holds here.
    requestid: Any = ""
    idempotencykey: Any = ""
    datacontenttype: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class Published(msgspec.Struct, frozen=True, omit_defaults=True):
    """A CloudEvent of ours, encoded in one go with its data."""

    id: UUID
    source: str
    type: str
    specversion: str
    subject: UUID
    time: datetime
    data: msgspec.Struct
    traceparent: str = ""
    requestid: str = ""
    idempotencykey: str = ""


_KEY_MAX = 255
_event = decoder(CloudEvent)
_events = decoder(list[msgspec.Raw])
_raw = decoder(msgspec.Raw)


def encode_event(
    event: Event, event_id: UUID, at: datetime, *, source: str, type: str, data: msgspec.Struct
) -> bytes:
    return encode(
        Published(
            event_id,
            source,
            type,
            "1.0",
            event.subject,
            at,
            data,
            event.traceparent,
            event.request_id,
            event.idempotency_key,
        )
    )


def decode_events(body: bytes, decoders: Decoders[E]) -> Sequence[Received[E] | Unhandled]:
    """The events of one message, a batch or a single one.

    Raises Unreadable for a body that is neither, and for more events than a message may hold; an element that
    is no event comes out as Unhandled.
    """
    first = body.lstrip()[:1]
    if first not in (b"[", b"{"):
        raise Unreadable("the body is no JSON array or object")
    try:
        elements = _events.decode(body) if first == b"[" else [_raw.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(str(error)) from error
    if len(elements) > ENVELOPE_EVENTS_MAX:
        raise Unreadable(
            f"the message holds {len(elements)} events, but may hold at most {ENVELOPE_EVENTS_MAX}"
        )
    return [_decode_one(bytes(element), decoders) for element in elements]


def message_of(payload: bytes) -> MessageId:
    """The identity under which `decode_events` knows this event, or element that is none."""
    try:
        event = _event.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _by_content(payload)
    return MessageId(event.source, event.id)


def unhandled_letter(letter: DeadLetter) -> Unhandled:
    """A dead letter in the words for parked messages. Its subject is its digest, so that no two letters are
    taken for one."""
    type_, detail = _contents(letter.body)
    death = hashlib.sha256(letter.death.encode() + b"\0" + letter.body).hexdigest()
    return Unhandled(
        message=MessageId("dead-letter", death),
        type=letter.type or type_,
        subject=hashlib.sha256(letter.body).hexdigest(),
        reason=letter.reason,
        detail=detail,
        payload=letter.body,
        dead_letter=True,
    )


def _contents(body: bytes) -> tuple[str, str]:
    """Type of the first event, and what can be said of the whole."""
    try:
        events: Sequence[Received[Event] | Unhandled] = decode_events(body, {})
    except Unreadable as error:
        return "", str(error)
    for event in events:
        if isinstance(event, Unhandled):
            return event.type, f"events: {len(events)}, the first about {event.subject or 'nothing'}"
    return "", "events: 0"


def _by_content(payload: bytes) -> MessageId:
    return MessageId("sha256", hashlib.sha256(payload).hexdigest())


def _decode_one(payload: bytes, decoders: Decoders[E]) -> Received[E] | Unhandled:
    try:
        event = _event.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = _by_content(payload)
        return Unhandled(message, "", message.id, "invalid_event", str(error), payload)
    message, trace = MessageId(event.source, event.id), valid(event.traceparent)
    if event.type not in decoders:
        reason, detail = "unknown_type", f"no handler for the type {event.type!r}"
    else:
        try:
            struct, make = decoders[event.type]
            fact = make(decoder(struct).decode(event.data), _origin(event, trace))
            return Received(message, event.type, fact, payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            reason, detail = "invalid_data", str(error)
    return Unhandled(message, event.type, event.subject, reason, detail, payload, trace)


def _origin(event: CloudEvent, traceparent: str) -> Origin:
    key = event.idempotencykey
    return {
        "traceparent": traceparent,
        "request_id": request_id.valid(event.requestid),
        "idempotency_key": key if isinstance(key, str) and len(key) <= _KEY_MAX else "",
    }
