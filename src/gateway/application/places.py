from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from kernel.domain.errors import Unavailable


class Places:
    """Limits how many there are at once, in all and for each client address."""

    def __init__(self, count_max: int, *, per_address_max: int | None = None) -> None:
        self._count_max = count_max
        self._per_address_max = count_max if per_address_max is None else per_address_max
        self._count = 0
        self._of_address: Counter[str] = Counter()

    @contextmanager
    def one(self, address: str = "") -> Iterator[None]:
        """A place for as long as the block takes. An address that is not known has no limit of its own.

        Raises Unavailable (`overloaded`, `too_many_streams`).
        """
        if self._count >= self._count_max:
            raise Unavailable("no more orders can be watched here", code="overloaded")
        if address and self._of_address[address] >= self._per_address_max:
            detail = f"this address has {self._per_address_max} streams, as many as it may have"
            raise Unavailable(detail, code="too_many_streams")
        self._count += 1
        self._of_address[address] += 1
        try:
            yield
        finally:
            self._count -= 1
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]
