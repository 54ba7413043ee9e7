from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from kernel.domain.faults import Checked
from orders.domain.audit_run import AuditRun
from orders.domain.claims import Claim, KnownOrders, KnownPayments
from orders.domain.verdict import Key


class AuditRuns(Protocol):
    """The runs of the audit, as every process sees them."""

    async def latest(self) -> AuditRun | None: ...

    async def add(self, run: AuditRun) -> None:
        """Raises Contention where somebody has begun one of this number."""
        ...

    async def save(self, run: AuditRun) -> bool:
        """Whether the run still ran: what has ended, or was given up, stays as it is."""
        ...

    async def prune(self, *, before: datetime, count_max: int) -> int:
        """Forgets runs that ended before that, the oldest first, but never the latest, and tells how many."""
        ...


class OrderClaims(Protocol):
    """What orders says of each order. Reads beside the model, which may take long."""

    async def count(self) -> int: ...

    async def page(self, after: Key | None, *, settled: datetime, count_max: int) -> Sequence[Claim]:
        """In the order of the keys, those behind `after`. NEW orders placed since `settled` say nothing."""
        ...

    async def known(self, keys: Sequence[Key]) -> KnownOrders:
        """All that there is to know of the orders of these ids."""
        ...


class PaymentClaims(Protocol):
    """What payments says of each order. All raise Unavailable where it does not answer."""

    async def page(self, after: Key | None, until: Key | None, *, count_max: int) -> Sequence[Claim]:
        """In the order of the keys, those behind `after` up to `until`, which is among them."""
        ...

    async def known(self, keys: Sequence[Key]) -> KnownPayments:
        """All that there is to know of these orders."""
        ...

    async def checked(self) -> Sequence[Checked]:
        """What the checks of its own found, which may take long."""
        ...
