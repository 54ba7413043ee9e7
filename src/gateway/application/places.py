from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from kernel.domain.errors import Unavailable


class Places:
    """Limits the number of clients served at once, for example by streams: in all, per address and user."""

    def __init__(
        self, count_max: int, *, per_address_max: int | None = None, per_user_max: int | None = None
    ) -> None:
        self._count_max = count_max
        self._max_of = {
            "address": count_max if per_address_max is None else per_address_max,
            "user": count_max if per_user_max is None else per_user_max,
        }
        self._count = 0
        self._counts: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def one(self, address: str = "", user: str = "") -> Iterator[None]:
        """Takes a place for the duration of the block. An empty address or user counts for no limit but the
        one in all.

        Raises Unavailable: `overloaded` at the limit in all, `too_many_streams` at another limit.
        """
        if self._count >= self._count_max:
            raise Unavailable("no more orders can be watched here", code="overloaded")
        holders = [(kind, name) for kind, name in (("address", address), ("user", user)) if name]
        for holder in holders:
            most = self._max_of[holder[0]]
            if self._counts[holder] >= most:
                detail = f"this {holder[0]} has {most} streams, as many as it may have"
                raise Unavailable(detail, code="too_many_streams")
        self._count += 1
        self._counts.update(holders)
        try:
            yield
        finally:
            self._count -= 1
            self._counts.subtract(holders)
            for holder in holders:
                if not self._counts[holder]:
                    del self._counts[holder]
