from dataclasses import dataclass

from kernel.application.watchdog import Watchdog
from kernel.domain.caller import Caller
from kernel.domain.overview import ServiceOverview
from kernel.ports.bus import Bus
from kernel.ports.figures import MessagingFigures


@dataclass
class ReadOverview:
    """How this service fares now."""

    service: str
    version: str
    schema_needed: int
    figures: MessagingFigures
    bus: Bus
    watchdog: Watchdog

    async def __call__(self, caller: Caller) -> ServiceOverview:
        """Raises Forbidden, and Unavailable where the database does not answer."""
        caller.require_to_see_all()
        parked, held = await self.figures.parked()
        return ServiceOverview(
            service=self.service,
            version=self.version,
            schema=await self.figures.revision(),
            schema_needed=self.schema_needed,
            waiting=await self.figures.waiting(),
            parked=parked,
            held=sum(held.values()),
            broker=self.bus.healthy,
            paused=self.watchdog.paused,
            on_time=self.watchdog.healthy,
        )
