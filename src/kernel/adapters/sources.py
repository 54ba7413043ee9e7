"""Who may say what: an event of a type comes from the service that publishes the type.

The rights at the broker are the guard; `source` is what a publisher says of itself, so that this one catches
mistakes.
"""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from kernel.contracts.messaging import source_of
from kernel.domain.events import Event, Received, Unhandled

E = TypeVar("E", bound=Event)


def from_its_publisher(
    decode: Callable[[bytes], Sequence[Received[E] | Unhandled]], allowed: Collection[str]
) -> Callable[[bytes], Sequence[Received[E] | Unhandled]]:
    """The same decoder; an event of another source is not handled, unless the source is `allowed` to all."""

    def checked(item: Received[E] | Unhandled) -> Received[E] | Unhandled:
        if isinstance(item, Unhandled):
            return item
        own, source = source_of(item.type), item.message.source
        if source == own or source in allowed:
            return item
        return item.unhandled("foreign_source", f"the source is {source!r}, but {own} publishes this type")

    return lambda body: [checked(item) for item in decode(body)]
