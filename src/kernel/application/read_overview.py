from dataclasses import dataclass

from kernel.application.set_aside import is_aside, lane_of
from kernel.application.watchdog import Watchdog
from kernel.domain.caller import Caller
from kernel.domain.overview import ServiceOverview, SetAsideEvents
from kernel.ports.bus import Bus
from kernel.ports.figures import MessagingFigures


@dataclass
class ReadOverview:
    """Reads the present state of this service."""

    service: str
    version: str
    schema_needed: int
    figures: MessagingFigures
    bus: Bus
    watchdog: Watchdog

    async def __call__(self, caller: Caller) -> ServiceOverview:
        """Raises Forbidden if the caller may not see all, and Unavailable if the database does not answer."""
        caller.require_to_see_all()
        parked, held = await self.figures.parked()
        in_outbox = await self.figures.waiting()
        return ServiceOverview(
            service=self.service,
            version=self.version,
            schema=await self.figures.revision(),
            schema_needed=self.schema_needed,
            waiting=[one for one in in_outbox if not is_aside(one.type)],
            set_aside=[
                SetAsideEvents(lane_of(one.type), one.count, one.since)
                for one in in_outbox
                if is_aside(one.type)
            ],
            parked=parked,
            held=sum(held.values()),
            broker=self.bus.healthy,
            paused=self.watchdog.paused,
            on_time=self.watchdog.healthy,
        )
