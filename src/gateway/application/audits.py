from dataclasses import dataclass

from gateway.ports.operators import OperatedOrders
from kernel.domain.caller import Caller
from kernel.ports.http_answer import HttpAnswer


@dataclass
class Audits:
    """Begins and reads the audit, which runs in the orders service."""

    orders: OperatedOrders

    async def begin(self, caller: Caller) -> HttpAnswer:
        """Begins a run of the audit. Raises Forbidden unless the caller is an operator."""
        return await self.orders.begin_audit(caller.as_operator())

    async def latest(self, caller: Caller) -> bytes:
        """Returns the latest run in JSON. Raises Forbidden, and Unavailable without an answer."""
        caller.require_to_see_all()
        return await self.orders.audit(caller)
