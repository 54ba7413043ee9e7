from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, Self
from uuid import UUID

from kernel.domain.value import value


@value
class Envelope:
    """Events of one type that travel as one message: a CloudEvents JSON batch.

    Of the consumers of its type only `to` gets it, where it is given; see `Bus.consumers`.
    """

    type: str
    body: bytes
    to: str = ""


class Unreadable(Exception):
    """Raised by a handler for a message that nobody will ever be able to read."""


Handler = Callable[[bytes], Awaitable[None]]


class Publisher(Protocol):
    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Return once the bus holds all of them; on any failure raise Unavailable, with some perhaps held.

        An envelope that does not reach all its consumers is a failure.
        """


class Notifier(Protocol):
    async def notify(self, envelope: Envelope) -> bool:
        """Notify whoever listens, at most once; whether anybody does. Raises Unavailable."""


class DeadLetters(Protocol):
    """The messages of this service that went to its dead-letter queue, for as long as they are looked at."""

    async def hand_over(self, ids: Collection[UUID], handle: Handler) -> None:
        """Hand these to the handler. One that it handled is gone; one that it did not stays where it is, also
        where the process ends meanwhile. Raises Unavailable, with some perhaps handled."""


class Notifications(Protocol):
    """What services notify of. A notification that is sent while nobody listens, or the bus is away, is lost.

    Nothing is sent here until it is wanted: it costs the sender something, unless nobody wants it.
    """

    @property
    def healthy(self) -> bool:
        """Whether messages can come now; a bus that is away comes back by itself."""

    async def listen(self, event_type: str, handle: Callable[[bytes], None]) -> None:
        """Hand each message of this type that is sent here to the function, from now on until cancelled."""

    async def want(self, wanted: bool) -> None:
        """Whether messages are to be sent here. Returns once they are, or soon while the bus is away: then it
        will be so when it is back."""


class Bus(Publisher, Notifier, Protocol):
    """A service's connection to the others."""

    async def subscribe(self, handler: Handler) -> None:
        """Hand the messages of this service to the handler.

        A handler that returns has acknowledged its message. One that raises Unreadable sends it to the
        dead-letter queue, and one that raises anything else sees it again.
        """

    @property
    def healthy(self) -> bool:
        """Whether messages can come and go now; a bus that is away comes back by itself."""

    def consumers(self, event_type: str) -> Sequence[str]:
        """Those to whom this type has to be published one by one, or one that fails would delay the others.

        There are none where the bus keeps a queue for each consumer, and where one at most has to be handed
        it.
        """

    def dead_letters(self) -> AbstractAsyncContextManager[DeadLetters]:
        """Raises Unavailable as it is entered."""

    async def stop(self) -> None:
        """Take no more messages, and let running handlers finish."""

    async def __aenter__(self) -> Self:
        """Connect. Raises Unavailable where the bus cannot be reached at start."""

    async def __aexit__(self, *_: object) -> None:
        """Stop, and end the connection."""
