from collections.abc import Mapping, Sequence
from typing import Literal, Protocol
from uuid import UUID

from kernel.domain.acts import Act, Place
from kernel.domain.caller import Caller
from kernel.domain.facts import Part
from kernel.domain.pauses import ConsumerState
from kernel.domain.value import value
from kernel.ports.http_answer import HttpAnswer

What = Literal["messages", "groups"]


@value
class Listed:
    """An item of a service's list. `body` is its JSON."""

    id: UUID
    body: bytes


class FactsOfOrders(Protocol):
    """A service, asked for stored facts on behalf of the caller. Raises Unavailable without an answer."""

    async def facts(self, caller: Caller, order_id: UUID, *, user_id: str | None) -> Part:
        """The facts about an order. `user_id` is the order's user; None when that is not known."""
        ...


class OperatedService(FactsOfOrders, Protocol):
    """A service, asked by operators through the gateway. Raises Unavailable when it gives no answer."""

    async def acts(self, caller: Caller, *, after: Place | None, limit: int) -> Sequence[Act]:
        """What operators did in this service, the newest first, from the place `after` on."""
        ...

    async def overview(self, caller: Caller) -> bytes:
        """The present state of the service, in JSON."""
        ...

    async def consumers(self, caller: Caller) -> Sequence[ConsumerState]:
        """The consumer of the service, and whether it is paused."""
        ...

    async def parked(
        self, caller: Caller, what: What, *, group: UUID | None = None, after: UUID | None, limit: int
    ) -> Sequence[Listed]:
        """Parked messages or their groups, sorted by id, from the id `after` on. Empty for a `group` that the
        service does not have."""
        ...

    async def read(self, caller: Caller, path: str) -> HttpAnswer:
        """The answer to a GET below /ops."""
        ...

    async def act(self, caller: Caller, path: str, body: bytes, *, key: str | None = None) -> HttpAnswer:
        """The answer to a POST below /ops, with the idempotency key `key`. Raises Unavailable when nothing
        was done, and OutcomeUnknown when the answer was lost."""
        ...


OperatedServices = Mapping[str, OperatedService]
"""The services by their names."""


class OperatedOrders(Protocol):
    """What operators can ask of the orders service only."""

    async def series(self, caller: Caller) -> bytes:
        """Orders per second and seconds to decide them, in JSON. Raises Unavailable."""
        ...

    async def audit(self, caller: Caller) -> bytes:
        """The latest run of the audit, in JSON. Raises Unavailable."""
        ...

    async def begin_audit(self, caller: Caller) -> HttpAnswer:
        """Raises Unavailable when no audit was begun, and OutcomeUnknown when the answer was lost."""
        ...
