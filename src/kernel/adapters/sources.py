"""An event of a type has to come from the service that publishes the type.

The rights at the broker are the guard, and they judge routing keys: an event that is of another type than the
routing key of its message was not judged. `source` is what a publisher says of itself, so this check only
catches mistakes.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextvars import ContextVar
from typing import TypeVar

from kernel.contracts.messaging import source_of
from kernel.domain.events import Event, Parked, Received, Unhandled
from kernel.ports.bus import Handler

E = TypeVar("E", bound=Event)

ROUTING_KEY = ContextVar("current_routing_key", default="")
"""That of the message which is being handled. Empty where the broker judged none: within one process, past
the exchange, and for an event that an operator replays."""


def under_its_type(handle: Handler) -> Callable[[Parked], Awaitable[None]]:
    """Hands a dead letter over as it came: under the routing key that is its type."""

    async def hand_over(letter: Parked) -> None:
        ROUTING_KEY.set(letter.unhandled.type)
        await handle(letter.unhandled.payload)

    return hand_over


def from_its_publisher(
    decode: Callable[[bytes], Sequence[Received[E] | Unhandled]], allowed: Collection[str]
) -> Callable[[bytes], Sequence[Received[E] | Unhandled]]:
    """The same decoder; an event is not handled that came under another routing key than its type, or from
    another source than its publisher, unless the source is `allowed` to all."""

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
