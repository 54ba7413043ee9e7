from dataclasses import dataclass

from gateway.application.parts import Page, Parts, page_of, parts_of
from gateway.ports.operators import OperatedServices
from kernel.domain.acts import Act, Place
from kernel.domain.caller import Caller


@dataclass
class ReadRecord:
    """Reads the acts of operators from all services."""

    services: OperatedServices

    async def __call__(self, caller: Caller, *, after: Place | None, limit: int) -> Page[tuple[str, Act]]:
        """Returns the acts, newest first, each with the service that recorded it. Raises Forbidden, and
        Unavailable if no service answers."""
        caller.require_to_see_all()
        parts = await parts_of(self.services, lambda one: one.acts(caller, after=after, limit=limit))
        named = {service: [(service, act) for act in some] for service, some in parts.known.items()}
        return page_of(Parts(named, parts.unknown), limit, lambda item: item[1].place, newest_first=True)
