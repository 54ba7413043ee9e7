from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.application.parts import parts_of
from gateway.ports.operators import ConsumingService
from kernel.domain.caller import Caller
from kernel.domain.errors import NotFound
from kernel.domain.pauses import ConsumerState
from kernel.domain.value import value
from kernel.ports.http_answer import HttpAnswer

ConsumingServices = Mapping[str, ConsumingService]


@value
class JoinedConsumers:
    consumers: Sequence[ConsumerState]
    unknown: Sequence[str]


@dataclass
class OperateConsumers:
    """The consumers of all services."""

    services: ConsumingServices

    async def read(self, caller: Caller) -> JoinedConsumers:
        """Raises Forbidden, and Unavailable where no service answers."""
        caller.require_to_see_all()
        parts = await parts_of(self.services, lambda one: one.consumers(caller))
        return JoinedConsumers([state for some in parts.known.values() for state in some], parts.unknown)

    async def act(self, caller: Caller, service: str, path: str, body: bytes) -> HttpAnswer:
        """The answer of the service. Raises Forbidden, NotFound for one that there is not, Unavailable, and
        OutcomeUnknown where the answer was lost."""
        caller = caller.as_operator()
        if service not in self.services:
            raise NotFound("service_not_found", f"there are {' and '.join(self.services)}")
        return await self.services[service].act(caller, path, body)
