"""Encodes and decodes events as CloudEvents 1.0 in JSON, the format of the outbox and of the bus."""

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

# The fields of an event that identify the call that caused the event.
Origin = Mapping[str, str]
# Maps each known event type to the struct of its data, and to a function from data and origin to the fact.
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
    # The shop writes strings. Events of other publishers may hold any value in these fields.
    requestid: Any = ""
    idempotencykey: Any = ""
    datacontenttype: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class Published(msgspec.Struct, frozen=True, omit_defaults=True):
    """A CloudEvent that the shop publishes. Attributes and data are one struct, so one call encodes both."""

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
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
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
    """Decodes the body of a message: a batch of events, or a single event.

    Raises Unreadable if the body is neither, or has more than ENVELOPE_EVENTS_MAX events. An element that is
    not a valid event is returned as Unhandled.
    """
    first = body.lstrip()[:1]
    if first not in (b"[", b"{"):
        raise Unreadable("the body is no JSON array or object")
    try:
        elements = _events.decode(body) if first == b"[" else [_raw.decode(body)]
    except _UNDECODABLE as error:
        raise Unreadable(str(error)) from error
    if len(elements) > ENVELOPE_EVENTS_MAX:
        raise Unreadable(
            f"the message holds {len(elements)} events, but may hold at most {ENVELOPE_EVENTS_MAX}"
        )
    return [_decode_one(bytes(element), decoders) for element in elements]


def message_of(payload: bytes) -> MessageId:
    """The id that `decode_events` gives to the element `payload`, even if it is not a valid event."""
    try:
        event = _event.decode(payload)
    except _UNDECODABLE:
        return _by_content(payload)
    return MessageId(event.source, event.id)


def unhandled_letter(letter: DeadLetter) -> Unhandled:
    """Turns a dead letter into a message to park. The message's subject is the SHA-256 of the letter's body,
    so letters with different bodies have different subjects."""
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
    """The type of the body's first event, empty if unknown, and a description of the whole body."""
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
    except _UNDECODABLE as error:
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
        except _UNDECODABLE as error:
            reason, detail = "invalid_data", str(error)
    return Unhandled(message, event.type, event.subject, reason, detail, payload, trace)


def _origin(event: CloudEvent, traceparent: str) -> Origin:
    key = event.idempotencykey
    return {
        "traceparent": traceparent,
        "request_id": request_id.valid(event.requestid),
        "idempotency_key": key if isinstance(key, str) and len(key) <= _KEY_MAX else "",
    }
