from datetime import datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """Time, new ids and chance: all that makes two runs of the same code differ."""

    def now(self) -> datetime:
        """The time in UTC."""

    def monotonic(self) -> float:
        """Seconds that only ever grow, for measuring; the wall clock may be set back."""

    def cpu_s(self) -> float:
        """Seconds of a processor that this process has taken so far."""

    def new_id(self) -> UUID:
        """A UUIDv7 (RFC 9562), so that what is newer sorts last."""

    def random(self) -> float:
        """At least 0, below 1."""

    async def sleep(self, seconds: float) -> None: ...
