from collections.abc import Sequence
from dataclasses import dataclass

from gateway.application.parts import Parts, parts_of
from gateway.ports.operators import OperatedServices
from kernel.domain.caller import Caller
from kernel.domain.pauses import ConsumerState


@dataclass
class ReadConsumers:
    """Reads the states of the consumers of all services."""

    services: OperatedServices

    async def __call__(self, caller: Caller) -> Parts[Sequence[ConsumerState]]:
        """Raises Forbidden, and Unavailable if no service answers."""
        caller.require_to_see_all()
        return await parts_of(self.services, lambda one: one.consumers(caller))
