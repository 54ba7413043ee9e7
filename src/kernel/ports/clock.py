from datetime import datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """Time, new ids and random numbers: everything that makes two runs of the same code differ."""

    def now(self) -> datetime:
        """Returns the present time in UTC."""

    def monotonic(self) -> float:
        """Returns seconds that never go back, for measuring; the wall clock may be set back."""

    def cpu_s(self) -> float:
        """Returns the CPU time of this process so far, in seconds."""

    def new_id(self) -> UUID:
        """Returns a new UUIDv7 (RFC 9562). Newer ids sort after older ones."""

    def random(self) -> float:
        """Returns a random number from 0 up to, but not including, 1."""

    async def sleep(self, seconds: float) -> None: ...
