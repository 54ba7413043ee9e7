"""What waits for an operator, in one list, grouped by reason."""

from collections.abc import Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from itertools import groupby
from uuid import UUID

import msgspec

from kernel.domain.events import Parked
from shop.dead_letters.places import Name, Place

# Enough to recognise a message by; a body may have megabytes, and the record of a discarded one has them all.
PAYLOAD_SHOWN_MAX = 16 * 1024


class Message(msgspec.Struct, frozen=True, rename="camel"):
    """The last of `count` messages of one type, subject and reason; it has `size` bytes, of which `payload`
    is the beginning."""

    id: UUID
    service: str
    place: Name
    reason: str
    type: str
    subject: str
    detail: str
    count: int
    first_at: datetime
    last_at: datetime
    size: int
    payload: str


class Group(msgspec.Struct, frozen=True, rename="camel"):
    """`messages` that are kept, for `count` that came."""

    service: str
    place: Name
    reason: str
    messages: int
    count: int
    types: list[str]
    oldest_at: datetime


class Listing(msgspec.Struct, frozen=True, rename="camel"):
    """`more`: some place holds more than was asked for; `dead_letters_read` is false without a broker."""

    groups: list[Group]
    messages: list[Message]
    more: bool
    dead_letters_read: bool


async def list_messages(places: Sequence[Place], *, count_max: int) -> Listing:
    """At most `count_max` of each place, the oldest first."""
    messages: list[Message] = []
    more = False
    for place in places:
        count = 0
        async with aclosing(place.messages()) as waiting:
            async for parked in waiting:
                if count == count_max:
                    more = True
                    break
                messages.append(_message(place, parked))
                count += 1
    messages.sort(key=group_key)
    return Listing(grouped(messages), messages, more, any(place.name == "dead letters" for place in places))


def grouped(messages: Iterable[Message]) -> list[Group]:
    """`messages` come in the order of their groups."""
    groups = []
    for (service, place, reason), same in groupby(messages, group_key):
        some = list(same)
        groups.append(
            Group(
                service=service,
                place=place,
                reason=reason,
                messages=len(some),
                count=sum(message.count for message in some),
                types=sorted({message.type for message in some}),
                oldest_at=min(message.first_at for message in some),
            )
        )
    return groups


def group_key(message: Message) -> tuple[str, Name, str]:
    return (message.service, message.place, message.reason)


def _message(place: Place, parked: Parked) -> Message:
    unhandled = parked.unhandled
    return Message(
        id=parked.id,
        service=place.service,
        place=place.name,
        reason=unhandled.reason,
        type=unhandled.type,
        subject=unhandled.subject,
        detail=unhandled.detail,
        count=parked.count,
        first_at=parked.first_parked_at,
        last_at=parked.last_parked_at,
        size=len(unhandled.payload),
        payload=unhandled.payload[:PAYLOAD_SHOWN_MAX].decode(errors="replace"),
    )
