"""Joins events into outbox rows, and outbox rows into envelopes, up to the same limits."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import TypeVar
from uuid import UUID

from kernel.ports.bus import Envelope
from kernel.ports.clock import Clock
from kernel.ports.outbox import OutboxRow

ENVELOPE_EVENTS_MAX = 200
ENVELOPE_BYTES_MAX = 256 * 1024

E = TypeVar("E")

# Encodes a domain event as a CloudEvent with this id and time. Returns its type and its bytes.
Encode = Callable[[E, UUID, datetime], tuple[str, bytes]]


def pack(events: Iterable[E], encode: Encode[E], clock: Clock) -> list[OutboxRow]:
    """Encodes the events under new ids, and returns their rows. Events of one type share rows, in order."""
    now = clock.now()
    encoded = []
    for event in events:
        event_id = clock.new_id()
        event_type, body = encode(event, event_id, now)
        encoded.append(OutboxRow(event_type, event_id, body, 1))
    return list(_join(sorted(encoded, key=attrgetter("type"))))


def envelopes(parts: Iterable[OutboxRow], to: str = "") -> list[Envelope]:
    """Joins consecutive rows of one type into as few envelopes as possible. Each body is a JSON array
    (CloudEvents 1.0, JSON format, section 4)."""
    return [Envelope(row.type, b"[" + row.events + b"]", to) for row in _join(parts)]


def _join(parts: Iterable[OutboxRow]) -> Iterator[OutboxRow]:
    """Joins consecutive parts of one type. A part is never split, so a part above the limits stays alone."""
    together: list[OutboxRow] = []
    count, size = 0, len(b"[]")
    for part in parts:
        if together and (
            part.type != together[0].type
            or count + part.count > ENVELOPE_EVENTS_MAX
            or size + len(part.events) > ENVELOPE_BYTES_MAX
        ):
            yield _joined(together)
            together, count, size = [], 0, len(b"[]")
        together.append(part)
        count += part.count
        size += len(part.events) + len(b",")
    if together:
        yield _joined(together)


def _joined(parts: Sequence[OutboxRow]) -> OutboxRow:
    first = parts[0]
    events = b",".join([part.events for part in parts])
    return OutboxRow(first.type, first.id, events, sum(part.count for part in parts))
