"""Notifies listeners of committed events: at most once, and never before the commit."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

from kernel.application.envelopes import ENVELOPE_EVENTS_MAX, Encode, envelopes, pack
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Notifier
from kernel.ports.clock import Clock

E = TypeVar("E")

WAITING_MAX = 10_000
ASK_EVERY_S = 0.1

logger = logging.getLogger(__name__)


class BackgroundNotifier(Generic[E]):
    """Notifies listeners of events of one type. If more than WAITING_MAX wait, the oldest are lost.

    While the bus is away, all events are lost. While nobody listens, one event is sent every 0.1 s, and the
    bus tells whether somebody listens now. If nobody does, the waiting events are dropped, because a client
    that begins to listen later also reads the present state.
    """

    def __init__(self, encode: Encode[E], notifier: Notifier, clock: Clock) -> None:
        self._encode = encode
        self._notifier = notifier
        self._clock = clock
        self._waiting: deque[E] = deque(maxlen=WAITING_MAX)
        self._wake = asyncio.Event()
        self._has_listeners = False

    def notify(self, events: Sequence[E]) -> None:
        if events:
            self._waiting.extend(events)
            self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            events = list(self._waiting)
            self._waiting.clear()
            try:
                await self._notify(events)
            except Unavailable:
                self._has_listeners = False
            except Exception:
                logger.exception("notifications were not sent")
                self._has_listeners = False
            if not self._has_listeners:
                await self._clock.sleep(ASK_EVERY_S)

    async def _notify(self, events: Sequence[E]) -> None:
        if not self._has_listeners:
            self._has_listeners = await self._send(events[:1])
            events = events[1:]
        while self._has_listeners and events:
            self._has_listeners = await self._send(events[:ENVELOPE_EVENTS_MAX])
            events = events[ENVELOPE_EVENTS_MAX:]

    async def _send(self, events: Sequence[E]) -> bool:
        """Returns whether every envelope reached a listener."""
        packed = pack(events, self._encode, self._clock)
        return all([await self._notifier.notify(envelope) for envelope in envelopes(packed)])
