from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from gateway.domain.explained import ORDERS, PAYMENTS, Explained, explained
from gateway.domain.orders import no_order
from gateway.ports.operators import FactsOfOrders
from kernel.domain.caller import Caller
from kernel.domain.errors import Unavailable
from kernel.domain.facts import Part
from kernel.ports.clock import Clock


@dataclass
class ExplainOrder:
    """Explains an order by the facts that both services have stored."""

    services: Mapping[str, FactsOfOrders]
    clock: Clock

    async def __call__(self, caller: Caller, order_id: UUID) -> Explained:
        """Raises Forbidden, NotFound if no service knows the order, and Unavailable if no service answers."""
        caller.require_to_see_all()
        parts: dict[str, Part] = {}
        unknown: dict[str, str] = {}
        user_id = None
        for service in (ORDERS, PAYMENTS):  # Orders tells the user, so payments finds the order fast.
            try:
                parts[service] = await self.services[service].facts(caller, order_id, user_id=user_id)
                user_id = user_id or parts[service].user_id
                if unread := parts[service].unread:
                    unknown[service] = "; ".join(unread)
            except Unavailable as error:
                unknown[service] = error.detail
                away = error
        if not parts:
            raise away
        if user_id is None and not unknown:
            raise no_order(order_id)
        return explained(parts, unknown, self.clock.now())
