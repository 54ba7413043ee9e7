"""Finds the lane of a user, and the lane of an order."""

import hashlib
from collections.abc import Callable, Sequence
from uuid import UUID

from kernel.domain.value import value

LANES_MAX = 256
IsLost = Callable[[int], bool]
"""Whether the server of the lane with this number has been away for too long to wait for it."""
# In a UUIDv7, the first random bits, `rand_a`, are below this bit (RFC 9562, section 5.7).
_RANDOM_END = 76


def never_lost(_: int) -> bool:
    """Never gives up a lane, because all lanes are on one server, for which every caller waits."""
    return False


@value
class Lane:
    number: int
    count: int

    @property
    def schema(self) -> str | None:
        """The schema of the lane's tables. A single lane has None: the default schema of the session."""
        return f"lane_{self.number:03}" if self.count > 1 else None

    def __str__(self) -> str:
        return f"lane {self.number} of {self.count}"


ONLY = Lane(0, 1)


def every_lane(count: int) -> Sequence[Lane]:
    return [Lane(number, count) for number in range(count)]


class LaneFinder:
    """Finds lanes. A user's lane is the first bits of the SHA-256 (FIPS 180-4) of the user id. The ids of the
    user's orders contain the same bits."""

    def __init__(self, count: int) -> None:
        """`count` is a power of two."""
        self._bits = count.bit_length() - 1

    def of_user(self, user_id: str) -> int:
        return hashlib.sha256(user_id.encode()).digest()[0] >> (8 - self._bits)

    def of_order(self, order_id: UUID) -> int:
        """The lane of an order. Every UUID has a lane, even if it is not the id of an order."""
        return (order_id.int >> (_RANDOM_END - self._bits)) & ((1 << self._bits) - 1)

    def order_id(self, user_id: str, new: UUID) -> UUID:
        """An order id: the UUIDv7 `new`, in which the user's lane replaces the first random bits."""
        if not self._bits:
            return new
        place = _RANDOM_END - self._bits
        kept = new.int & ~(((1 << self._bits) - 1) << place)
        return UUID(int=kept | self.of_user(user_id) << place)
