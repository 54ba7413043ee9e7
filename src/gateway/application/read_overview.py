from dataclasses import dataclass

from gateway.application.parts import Parts, joined
from gateway.ports.operators import OperatedOrders, OperatedServices
from kernel.domain.caller import Caller

SERIES, AUDIT = "series", "audit"


@dataclass
class ReadOverview:
    """Reads the state of each service, the series of orders, and the latest audit."""

    services: OperatedServices
    orders: OperatedOrders

    async def __call__(self, caller: Caller) -> Parts[bytes]:
        """JSON of each service, `series` and `audit`. Raises Forbidden, and Unavailable if all parts fail."""
        caller.require_to_see_all()
        services = {name: service.overview(caller) for name, service in self.services.items()}
        of_all = {SERIES: self.orders.series(caller), AUDIT: self.orders.audit(caller)}
        return await joined({**services, **of_all})
