from collections.abc import Sequence
from typing import Protocol

from payments.domain.claims import Claim, Key, KnownPayment


class Claims(Protocol):
    """Reads beside the model, which may take long."""

    async def page(self, after: Key | None, until: Key | None, *, count_max: int) -> Sequence[Claim]:
        """In the order of the keys, those behind `after` up to `until`, which is among them."""
        ...

    async def known(self, keys: Sequence[Key]) -> Sequence[KnownPayment]:
        """One a key, in any order, also of an order that payments does not know."""
        ...
