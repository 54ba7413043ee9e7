from collections.abc import Sequence
from typing import Protocol

from payments.domain.claims import Claim, Key, KnownPayment


class Claims(Protocol):
    """The claims of payments, for the audit. These reads use no unit of work, and may take long."""

    async def page(self, after: Key | None, until: Key | None, *, count_max: int) -> Sequence[Claim]:
        """Claims sorted by key, from behind `after` up to and including `until`."""
        ...

    async def known(self, keys: Sequence[Key]) -> Sequence[KnownPayment]:
        """One for each key, in any order, also for orders that payments does not know."""
        ...
