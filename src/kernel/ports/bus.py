from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, Self

from kernel.domain.errors import Unavailable
from kernel.domain.value import value


@value
class Envelope:
    """One message with events of one type, as a CloudEvents JSON batch. If `to` is given, only this consumer
    gets the message (`Bus.consumers`)."""

    type: str
    body: bytes
    to: str = ""


class Unreadable(Exception):
    """Raised by a handler for a message that cannot be decoded, so that delivering it again is useless."""


class ConsumerPaused(Unavailable):
    """Raised by a bus without queues, for a message whose consumer an operator paused."""


Handler = Callable[[bytes], Awaitable[None]]

# The reason of a dead letter whose handler raised Unreadable.
UNREADABLE = "unreadable"


@value
class DeadLetter:
    """A message that the bus gave up on: it could not be decoded, or every delivery of it failed."""

    body: bytes
    type: str
    """The type under which the message was published; empty if the bus does not know it."""
    reason: str
    death: str = ""
    """An id that equal messages do not share if they died at different times; empty if the bus has none."""


Bury = Callable[[DeadLetter], Awaitable[None]]


class Publisher(Protocol):
    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Publishes the envelopes, and returns once the bus has taken over all of them. Raises Unavailable on
        any failure, also if a consumer does not get its envelope; the bus may still deliver some."""


class Notifier(Protocol):
    async def notify(self, envelope: Envelope) -> bool:
        """Notifies the listeners, at most once. Returns whether there are listeners. Raises Unavailable."""


class Notifications(Protocol):
    """Receives the notifications of services. A notification is lost if it is sent while nobody listens or
    the bus is away. No notifications are sent to this process until `want(True)`, because each costs the
    sender something."""

    @property
    def healthy(self) -> bool:
        """Whether messages can arrive now. A lost connection is made again without further calls."""

    async def listen(self, event_type: str, handle: Callable[[bytes], None]) -> None:
        """Calls `handle` with each message of this type that arrives, until cancelled."""

    async def want(self, wanted: bool) -> None:
        """Switches the receipt of notifications on or off, and returns once that is done. While the bus is
        away, it returns soon, and the switch takes effect when the bus is back."""


class Bus(Publisher, Notifier, Protocol):
    """A service's connection to the other services."""

    async def subscribe(self, handler: Handler, bury: Bury | None = None) -> None:
        """Hands the messages of this service to `handler`, and its dead letters to `bury`.

        A message is acknowledged when the handler returns. It becomes a dead letter if the handler raises
        Unreadable, and is delivered again if the handler raises any other error. A dead letter is delivered
        again until `bury` returns.
        """

    @property
    def system(self) -> str:
        """The kind of bus, in one word."""

    @property
    def healthy(self) -> bool:
        """Whether messages can be sent and received now. A lost connection is made again without further
        calls."""

    def consumers(self, event_type: str) -> Sequence[str]:
        """Returns the consumers that need separate envelopes (`Envelope.to`), so that a failing one does not
        delay the others. Empty if the bus keeps a queue for each, or the type has at most one consumer."""

    async def pause(self) -> None:
        """Takes no messages and no dead letters until `resume`. Running handlers go on. A paused bus is
        healthy."""

    async def resume(self) -> None:
        """Takes messages again. Does nothing if the bus is not paused."""

    async def stop(self) -> None:
        """Takes no more messages. Lets running handlers finish."""

    async def __aenter__(self) -> Self:
        """Connects to the bus. Raises Unavailable if the bus cannot be reached."""

    async def __aexit__(self, *_: object) -> None:
        """Stops the bus, and closes its connection."""
