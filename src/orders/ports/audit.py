from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from kernel.domain.faults import Checked
from orders.domain.audit_run import AuditRun
from orders.domain.claims import Claim, KnownOrders, KnownPayments
from orders.domain.verdict import Key


class AuditRuns(Protocol):
    """The stored runs of the audit, shared by all processes."""

    async def latest(self) -> AuditRun | None: ...

    async def add(self, run: AuditRun) -> None:
        """Raises Contention if another run with this number was begun meanwhile."""
        ...

    async def save(self, run: AuditRun) -> bool:
        """Changes a run that is stored as running. False, and no change, if it has ended or was given up."""
        ...

    async def prune(self, *, before: datetime, count_max: int) -> int:
        """Deletes runs that ended before `before`, oldest first, but never the latest. Returns how many."""
        ...


class OrderClaims(Protocol):
    """The claims of orders, for the audit. These reads use no unit of work, and may take long."""

    async def count(self) -> int: ...

    async def page(self, after: Key | None, *, settled: datetime, count_max: int) -> Sequence[Claim]:
        """Claims sorted by key, from behind `after`. NEW orders placed after `settled` claim None."""
        ...

    async def known(self, keys: Sequence[Key]) -> KnownOrders:
        """Everything known of the orders with these ids, whichever users they belong to."""
        ...


class PaymentClaims(Protocol):
    """The claims of payments, for the audit. Every call raises Unavailable if payments does not answer."""

    async def page(self, after: Key | None, until: Key | None, *, count_max: int) -> Sequence[Claim]:
        """Claims sorted by key, from behind `after` up to and including `until`."""
        ...

    async def known(self, keys: Sequence[Key]) -> KnownPayments:
        """Everything known of these orders."""
        ...

    async def checked(self) -> Sequence[Checked]:
        """The results of payments' own checks, which may take long."""
        ...
