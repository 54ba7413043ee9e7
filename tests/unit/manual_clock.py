import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


class ManualClock:
    """A Clock whose time passes only in `sleep`, at once; chance always gives `chance`."""

    def __init__(self, *, chance: float = 0.0) -> None:
        self.time = START
        self.slept: list[float] = []
        self._chance = chance
        self._ids = 0

    def now(self) -> datetime:
        return self.time

    def new_id(self) -> UUID:
        self._ids += 1
        return id_of(self._ids)

    def random(self) -> float:
        return self._chance

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
        await asyncio.sleep(0)


def id_of(number: int) -> UUID:
    """A UUIDv7; a higher number sorts later."""
    return UUID(int=(0x0198C1A27B3C7000 << 64) | (0x8 << 60) | number)
