"""From the outbox to the bus: at least once, never before the commit, never lost."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress

from kernel.application.backoff import Backoff
from kernel.domain.errors import Contention, OutcomeUnknown, Unavailable
from kernel.ports.bus import Envelope, Publisher
from kernel.ports.clock import Clock
from kernel.ports.outbox import Backlog
from kernel.ports.unit_of_work import UnitOfWork

ENVELOPE_EVENTS_MAX = 200
ENVELOPE_BYTES_MAX = 256 * 1024
POLL_S = 1.0

logger = logging.getLogger(__name__)


class RelayEvents:
    """Publishes the oldest events of one type; they leave the outbox only once the bus confirmed them."""

    def __init__(self, uow: UnitOfWork, backlog: Backlog, publisher: Publisher) -> None:
        self.uow = uow
        self.backlog = backlog
        self.publisher = publisher

    async def __call__(self, event_type: str) -> int:
        """How many events were published. Any failure puts all of them back."""
        async with self.uow:
            events = await self.backlog.take(event_type, count_max=ENVELOPE_EVENTS_MAX)
            if events:
                await self.publisher.publish([Envelope(event_type, body) for body in batches(events)])
        return len(events)


def batches(events: Sequence[bytes]) -> Iterator[bytes]:
    """JSON arrays (CloudEvents 1.0, JSON format, section 4) within the limits of one message."""
    batch: list[bytes] = []
    size = len(b"[]")
    for event in events:
        if batch and size + len(event) > ENVELOPE_BYTES_MAX:
            yield b"[" + b",".join(batch) + b"]"
            batch, size = [], len(b"[]")
        batch.append(event)
        size += len(event) + 1
    yield b"[" + b",".join(batch) + b"]"


class Relay:
    """Keeps one type of event flowing: woken after a commit, and by a poll for what others left behind."""

    def __init__(self, relay_events: Callable[[], Awaitable[int]], wake: asyncio.Event, clock: Clock) -> None:
        self._relay_events = relay_events
        self._wake = wake
        self._backoff = Backoff(clock)
        self._stopping = False

    def stop(self) -> None:
        """Ends `run` as soon as nothing waits any more, or nothing can be published now."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            try:
                count = await self._relay_events()
            except (Unavailable, OutcomeUnknown, Contention):
                count = None
            except Exception:
                logger.exception("the relay failed, its events stay in the outbox")
                count = None
            if self._stopping and count != ENVELOPE_EVENTS_MAX:
                return
            if count is None:
                await self._backoff.wait()
                continue
            self._backoff.reset()
            if count < ENVELOPE_EVENTS_MAX:
                await self._rest()

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
