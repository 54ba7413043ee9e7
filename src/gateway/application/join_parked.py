"""Lists the parked messages of all services, and finds the service that owns a message or a group."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from gateway.application.parts import Page, page_of, parts_of
from gateway.ports.operators import Listed, OperatedService, OperatedServices, What
from kernel.domain.caller import Caller
from kernel.domain.errors import OutcomeUnknown, Unavailable
from kernel.ports.http_answer import HttpAnswer

NOT_FOUND = 404
REFUSED = 400


@dataclass
class JoinParked:
    services: OperatedServices

    async def page(
        self, caller: Caller, what: What, *, group: UUID | None = None, after: UUID | None, limit: int
    ) -> Page[Listed]:
        """Joins all items, sorted by id. Raises Forbidden, and Unavailable if no service answers."""
        caller.require_to_see_all()
        parts = await parts_of(
            self.services, lambda one: one.parked(caller, what, group=group, after=after, limit=limit)
        )
        return page_of(parts, limit, lambda item: item.id)

    async def read(self, caller: Caller, path: str) -> HttpAnswer:
        """Returns the answer of the service that owns the id in the path. Raises Forbidden, and Unavailable
        if the owner may be a service that does not answer."""
        caller.require_to_see_all()
        return await self._of_owner(lambda one: one.read(caller, path))

    async def act(self, caller: Caller, path: str, body: bytes = b"") -> HttpAnswer:
        """Sends a command to all services. Only the owner of the id in the path carries it out. Raises the
        errors of `read`, and OutcomeUnknown if the owner's answer may be lost."""
        caller = caller.as_operator()
        return await self._of_owner(lambda one: one.act(caller, path, body))

    async def _of_owner(self, ask: Callable[[OperatedService], Awaitable[HttpAnswer]]) -> HttpAnswer:
        answers = await asyncio.gather(*map(ask, self.services.values()), return_exceptions=True)
        given = [answer for answer in answers if isinstance(answer, HttpAnswer)]
        errors = [answer for answer in answers if isinstance(answer, BaseException)]
        given.sort(key=lambda answer: (answer.status >= REFUSED, answer.status == NOT_FOUND))
        if given and (not errors or given[0].status < REFUSED):
            return given[0]
        errors.sort(key=lambda error: (isinstance(error, Unavailable), isinstance(error, OutcomeUnknown)))
        raise errors[0]
