"""Tells health checks whether messages get through. An open connection to the bus does not prove it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from kernel.application.intake import Intake
from kernel.application.replay import LETTERS, REPLAYED
from kernel.application.trouble import Trouble
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Bus, ConsumerPaused, Envelope, Handler
from kernel.ports.clock import Clock

# More than the relays need for rows that were left behind, and less than operators would accept.
LATE_AFTER_S = 3.0


class Watchdog:
    """Checks that committed events are published and received messages handled. If not, logs the reason."""

    def __init__(
        self,
        bus: Bus,
        intake: Intake,
        databases: Sequence[Trouble],
        trouble: Trouble,
        clock: Clock,
    ) -> None:
        """While one of the `databases` is in trouble, late work is not reported: the trouble explains it."""
        self._bus = bus
        self._intake = intake
        self._databases = databases
        self._trouble = trouble
        self._clock = clock
        self._counts_from = self._connected_at = clock.monotonic()
        # By event type, the time when its events last waited for a paused consumer.
        self._held_at: dict[str, datetime] = {}
        self._in_hand: dict[object, float] = {}
        self._refusal = "no publisher was refused"
        self._late = False

    @property
    def healthy(self) -> bool:
        return self._bus.healthy and not self._late

    @property
    def paused(self) -> bool:
        """Whether an operator paused the consumer, which is no fault."""
        return self._intake.paused

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Publishes the envelopes on the bus, and remembers the reason of the last failure."""
        try:
            await self._bus.publish(envelopes)
        except ConsumerPaused:
            self._counts_from = self._clock.monotonic()
            self._hold(envelope.type for envelope in envelopes)
            raise
        except Unavailable as error:
            self._refusal = error.detail
            raise

    def late_since(self, event_type: str, since: datetime) -> datetime:
        """Returns since when an event of this type has waited without a reason. The event has been in the
        outbox since `since`. A pause of its consumer is a reason."""
        return max(since, self._held_at.get(event_type, since))

    def handling(self, handler: Handler) -> Handler:
        """Wraps the handler, so that the watchdog knows since when each message is being handled."""

        async def handle(body: bytes) -> None:
            message = object()
            self._in_hand[message] = self._clock.monotonic()
            try:
                await handler(body)
            finally:
                del self._in_hand[message]

        return handle

    async def look(self) -> bool:
        """A job for Periodically: checks once. Returns False, because there is never more to do at once."""
        for database in self._databases:
            database.settle()
        self._trouble.settle()
        since = await self._intake.look()
        if self._intake.paused:
            self._hold((REPLAYED, LETTERS))
        now = self._clock.monotonic()
        # The time before this process began does not count, nor the time in which a consumer was paused.
        age_s = 0.0 if since is None else (self._clock.now() - since).total_seconds()
        unpublished_s = min(age_s, now - self._counts_from)
        unhandled_s = now - min(self._in_hand.values(), default=now)
        is_away = any(database.lasts for database in self._databases)
        self._late = not is_away and max(unpublished_s, unhandled_s) > LATE_AFTER_S
        if not self._bus.healthy:
            self._connected_at = now
            self._trouble.leave_to_others()  # The bus itself logs why, and when it is back.
        elif self._late and now - self._connected_at > LATE_AFTER_S:
            self._report(unpublished_s, unhandled_s)
        return False

    def _hold(self, types: Iterable[str]) -> None:
        self._held_at.update(dict.fromkeys(types, self._clock.now()))

    def _report(self, unpublished_s: float, unhandled_s: float) -> None:
        if unpublished_s > LATE_AFTER_S:
            words = f"late: events committed {unpublished_s:.0f} s ago are not published: {self._refusal}"
            self._trouble.report("publishing", words)
        if unhandled_s > LATE_AFTER_S:
            words = f"late: a message received {unhandled_s:.0f} s ago is not handled"
            self._trouble.report("handling", words)
