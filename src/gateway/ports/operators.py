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
    """A service that tells callers its stored facts. Raises Unavailable if the service does not answer."""

    async def facts(self, caller: Caller, order_id: UUID, *, user_id: str | None) -> Part:
        """The facts about an order. `user_id` is the order's user; None when that is not known."""
        ...


class OperatedService(FactsOfOrders, Protocol):
    """A service whose state operators read and change. Raises Unavailable if the service does not answer."""

    async def acts(self, caller: Caller, *, after: Place | None, limit: int) -> Sequence[Act]:
        """The acts of operators in this service that follow the place `after`, newest first."""
        ...

    async def overview(self, caller: Caller) -> bytes:
        """The present state of the service, in JSON."""
        ...

    async def consumers(self, caller: Caller) -> Sequence[ConsumerState]:
        """The consumers of the service, and for each whether it is paused."""
        ...

    async def parked(
        self, caller: Caller, what: What, *, group: UUID | None = None, after: UUID | None, limit: int
    ) -> Sequence[Listed]:
        """Parked messages or their groups with ids behind `after`, sorted by id. Empty if the service has
        no such `group`."""
        ...

    async def read(self, caller: Caller, path: str) -> HttpAnswer:
        """The answer to a GET below /ops."""
        ...

    async def act(self, caller: Caller, path: str, body: bytes, *, key: str | None = None) -> HttpAnswer:
        """The answer to a POST below /ops, with the idempotency key `key`. Raises Unavailable if nothing
        was done, and OutcomeUnknown if the answer was lost."""
        ...


OperatedServices = Mapping[str, OperatedService]
"""The services by their names."""


class OperatedOrders(Protocol):
    """The reads and changes for operators that only the orders service offers."""

    async def series(self, caller: Caller) -> bytes:
        """Orders per second and seconds to decide them, in JSON. Raises Unavailable."""
        ...

    async def audit(self, caller: Caller) -> bytes:
        """The latest run of the audit, in JSON. Raises Unavailable."""
        ...

    async def begin_audit(self, caller: Caller) -> HttpAnswer:
        """Begins a run. Raises Unavailable if none was begun, and OutcomeUnknown if the answer was lost."""
        ...
