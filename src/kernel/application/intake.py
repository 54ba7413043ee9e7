"""Whether a process takes messages, which operators decide for all processes of a service."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import ParamSpec

from kernel.application.relay import RelayResult
from kernel.ports.bus import Bus
from kernel.ports.pauses import StandingReading

P = ParamSpec("P")

logger = logging.getLogger(__name__)


class Intake:
    """Takes messages unless an operator paused the consumer; what is in hand then is finished."""

    def __init__(self, bus: Bus, reading: StandingReading) -> None:
        self._bus = bus
        self._reading = reading
        self._paused = False

    @property
    def paused(self) -> bool:
        return self._paused

    async def look(self) -> datetime | None:
        """Does what operators decided. Says since when the oldest event waits to be published, which one
        statement reads with it. Raises Unavailable; until the next look it stays as it was."""
        standing = await self._reading.standing()
        paused = standing.pause is not None
        if paused != self._paused:
            if standing.pause is not None:
                logger.info("paused by %s: %s", standing.pause.by, standing.pause.note or "no note")
                await self._bus.pause()
            else:
                logger.info("resumed")
                await self._bus.resume()
            self._paused = paused  # Only now, so that health tells what has taken hold.
        return standing.waiting_since

    def unless_paused(
        self, replay: Callable[P, Awaitable[RelayResult]]
    ) -> Callable[P, Awaitable[RelayResult]]:
        """The same round of a relay, for what operators hand to the consumer past the bus."""

        async def act(*args: P.args, **kwargs: P.kwargs) -> RelayResult:
            return RelayResult.of(()) if self._paused else await replay(*args, **kwargs)

        return act
