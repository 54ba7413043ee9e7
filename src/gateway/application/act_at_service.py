from dataclasses import dataclass
from functools import partial

from gateway.application.until_known import until_known
from gateway.ports.operators import OperatedServices
from kernel.domain.caller import Caller
from kernel.domain.errors import NotFound
from kernel.ports.clock import Clock
from kernel.ports.http_answer import HttpAnswer


@dataclass
class ActAtService:
    """What operators have one service do. A repeated act changes nothing, so each is asked for until its
    outcome is known."""

    services: OperatedServices
    clock: Clock

    async def __call__(
        self, caller: Caller, service: str, path: str, body: bytes, *, key: str | None = None
    ) -> HttpAnswer:
        """Raises Forbidden, NotFound for a service that there is not, Unavailable where nothing was done, and
        OutcomeUnknown where nobody knows for 10 s."""
        caller = caller.as_operator()
        if service not in self.services:
            raise NotFound("service_not_found", f"there are {' and '.join(self.services)}")
        return await until_known(partial(self.services[service].act, caller, path, body, key=key), self.clock)
