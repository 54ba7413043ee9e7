from collections.abc import Sequence
from typing import Protocol

from payments.domain.claims import Claim, Key, KnownPayment


class Claims(Protocol):
    """Reads the claims of payments, for the audit, outside of a unit of work. A read may take long."""

    async def page(self, after: Key | None, until: Key | None, *, count_max: int) -> Sequence[Claim]:
        """Claims with keys behind `after`, up to and including `until`, sorted by key."""
        ...

    async def known(self, keys: Sequence[Key]) -> Sequence[KnownPayment]:
        """The stored values for each key, in any sequence. An unknown order has an item too."""
        ...
