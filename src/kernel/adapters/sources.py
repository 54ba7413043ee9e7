"""Checks that an event comes from the service that publishes its type.

The broker's permissions stop attackers. These permissions apply to routing keys, so the type of an event must
be the routing key of its message. `source` is only a claim of the publisher, so the check of `source` finds
mistakes, not attacks.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextvars import ContextVar
from typing import TypeVar

from kernel.contracts.messaging import source_of
from kernel.domain.events import Event, Parked, Received, Unhandled
from kernel.ports.bus import Handler

E = TypeVar("E", bound=Event)

ROUTING_KEY = ContextVar("current_routing_key", default="")
"""The routing key of the message that is being handled. It is empty if the broker checked none: within one
process, for a message that bypassed the exchange, and for an event that an operator replays."""


def under_its_type(handle: Handler) -> Callable[[Parked], Awaitable[None]]:
    """Wraps `handle` for dead letters. ROUTING_KEY is set to the letter's original key, which is its type."""

    async def hand_over(letter: Parked) -> None:
        ROUTING_KEY.set(letter.unhandled.type)
        await handle(letter.unhandled.payload)

    return hand_over


def from_its_publisher(
    decode: Callable[[bytes], Sequence[Received[E] | Unhandled]], allowed: Collection[str]
) -> Callable[[bytes], Sequence[Received[E] | Unhandled]]:
    """Wraps `decode`. An event becomes Unhandled if its type is not the routing key, or if its source is
    neither the publisher of its type nor one of `allowed`."""

    def checked(item: Received[E] | Unhandled) -> Received[E] | Unhandled:
        if isinstance(item, Unhandled):
            return item
        routing_key = ROUTING_KEY.get()
        if routing_key not in ("", item.type):
            return item.unhandled("foreign_type", f"it came under the routing key {routing_key!r}")
        own, source = source_of(item.type), item.message.source
        if source == own or source in allowed:
            return item
        return item.unhandled("foreign_source", f"the source is {source!r}, but {own} publishes this type")

    return lambda body: [checked(item) for item in decode(body)]
