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
    """Passes an operator's command on to one service. A repeated command changes nothing, so the command is
    sent again until its outcome is known."""

    services: OperatedServices
    clock: Clock

    async def __call__(
        self, caller: Caller, service: str, path: str, body: bytes, *, key: str | None = None
    ) -> HttpAnswer:
        """Raises Forbidden, NotFound for an unknown service, Unavailable if nothing was done, and
        OutcomeUnknown if the outcome stayed unknown for 10 s."""
        caller = caller.as_operator()
        if service not in self.services:
            raise NotFound("service_not_found", f"the services are {' and '.join(self.services)}")
        return await until_known(partial(self.services[service].act, caller, path, body, key=key), self.clock)
