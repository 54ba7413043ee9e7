from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, Self

from kernel.domain.errors import Unavailable
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


class ConsumerPaused(Unavailable):
    """Raised by a bus that keeps nothing: an operator wants the consumer to take nothing now."""


Handler = Callable[[bytes], Awaitable[None]]

# Why a dead letter is one that its handler called Unreadable.
UNREADABLE = "unreadable"


@value
class DeadLetter:
    """A message that nobody could read, or that each delivery failed to get handled."""

    body: bytes
    type: str
    """Under which it was published; empty where the bus does not know."""
    reason: str
    death: str = ""
    """Tells it from an equal message that the bus gave up at another time; empty where the bus cannot."""


Bury = Callable[[DeadLetter], Awaitable[None]]


class Publisher(Protocol):
    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Return once the bus holds all of them; on any failure raise Unavailable, with some perhaps held.

        An envelope that does not reach all its consumers is a failure.
        """


class Notifier(Protocol):
    async def notify(self, envelope: Envelope) -> bool:
        """Notify whoever listens, at most once; whether anybody does. Raises Unavailable."""


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

    async def subscribe(self, handler: Handler, bury: Bury | None = None) -> None:
        """Hand the messages of this service to the handler, and its dead letters to `bury`.

        A handler that returns has acknowledged its message. One that raises Unreadable makes it a dead
        letter, and one that raises anything else sees it again. `bury` sees a letter until it returns.
        """

    @property
    def system(self) -> str:
        """What kind of bus it is, in one word."""

    @property
    def healthy(self) -> bool:
        """Whether messages can come and go now; a bus that is away comes back by itself."""

    def consumers(self, event_type: str) -> Sequence[str]:
        """Those to whom this type has to be published one by one, or one that fails would delay the others.

        There are none where the bus keeps a queue for each consumer, and where one at most has to be handed
        it.
        """

    async def pause(self) -> None:
        """Take no more messages and no more dead letters, until `resume`; running handlers go on. The bus is
        healthy meanwhile."""

    async def resume(self) -> None:
        """Take messages again. Nothing happens where the bus was not paused."""

    async def stop(self) -> None:
        """Take no more messages, and let running handlers finish."""

    async def __aenter__(self) -> Self:
        """Connect. Raises Unavailable where the bus cannot be reached at start."""

    async def __aexit__(self, *_: object) -> None:
        """Stop, and end the connection."""
