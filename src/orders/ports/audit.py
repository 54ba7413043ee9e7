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
        """Changes a run that is stored as running. False, without a change, if the run is stored as ended."""
        ...

    async def prune(self, *, before: datetime, count_max: int) -> int:
        """Deletes runs that ended before `before`, oldest first, but not the latest. Returns their number."""
        ...


class OrderClaims(Protocol):
    """Reads the claims of orders, for the audit, outside of a unit of work. A read may take long."""

    async def count(self) -> int: ...

    async def page(self, after: Key | None, *, settled: datetime, count_max: int) -> Sequence[Claim]:
        """Claims with keys behind `after`, sorted. NEW orders placed after `settled` have the claim None."""
        ...

    async def known(self, keys: Sequence[Key]) -> KnownOrders:
        """The stored values of the orders with these ids. The user in a key is ignored."""
        ...


class PaymentClaims(Protocol):
    """Reads the claims of payments, for the audit. Raises Unavailable if payments does not answer."""

    async def page(self, after: Key | None, until: Key | None, *, count_max: int) -> Sequence[Claim]:
        """Claims with keys behind `after`, up to and including `until`, sorted by key."""
        ...

    async def known(self, keys: Sequence[Key]) -> KnownPayments:
        """The stored values of these orders at payments."""
        ...

    async def checked(self) -> Sequence[Checked]:
        """Has payments check its database, which may take long, and returns the results."""
        ...
