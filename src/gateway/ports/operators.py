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
    """What has an id, as a service tells it."""

    id: UUID
    body: bytes


class FactsOfOrders(Protocol):
    """What a service has stored about orders, for the caller. Raises Unavailable where it gives no answer."""

    async def facts(self, caller: Caller, order_id: UUID, *, user_id: str | None) -> Part:
        """Of an order of this user; None where that is not known."""
        ...


class OperatedService(FactsOfOrders, Protocol):
    """A service as operators see it, asked for the caller. Raises Unavailable where it gives no answer."""

    async def acts(self, caller: Caller, *, after: Place | None, limit: int) -> Sequence[Act]:
        """What operators did there, the newest first, behind the given place."""
        ...

    async def overview(self, caller: Caller) -> bytes:
        """How it fares now, in JSON."""
        ...

    async def consumers(self, caller: Caller) -> Sequence[ConsumerState]:
        """Its consumer, and whether it is paused."""
        ...

    async def parked(
        self, caller: Caller, what: What, *, group: UUID | None = None, after: UUID | None, limit: int
    ) -> Sequence[Listed]:
        """What waits there for an operator, in the order of ids, behind the given one; nothing of a group
        that is elsewhere."""
        ...

    async def read(self, caller: Caller, path: str) -> HttpAnswer:
        """What it answers to a GET below /ops."""
        ...

    async def act(self, caller: Caller, path: str, body: bytes, *, key: str | None = None) -> HttpAnswer:
        """What it answers to a POST below /ops, with this idempotency key. Raises Unavailable where nothing
        was done, and OutcomeUnknown where the answer was lost."""
        ...


OperatedServices = Mapping[str, OperatedService]
"""By their names."""


class OperatedOrders(Protocol):
    """What only the orders service tells, and does for, operators."""

    async def series(self, caller: Caller) -> bytes:
        """Orders a second, and seconds to decide, in JSON. Raises Unavailable."""
        ...

    async def audit(self, caller: Caller) -> bytes:
        """The latest run of the audit, in JSON. Raises Unavailable."""
        ...

    async def begin_audit(self, caller: Caller) -> HttpAnswer:
        """Raises Unavailable where nothing was done, and OutcomeUnknown where the answer was lost."""
        ...
