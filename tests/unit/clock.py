from uuid import UUID

from tests.memory.clock import EPOCH, MemoryClock

START = EPOCH


class RecordingClock(MemoryClock):
    """Tells how long it was asked to sleep; with `chance`, chance has no say."""

    def __init__(self, *, chance: float | None = None) -> None:
        super().__init__()
        self.slept: list[float] = []
        self._chance = chance

    def random(self) -> float:
        return super().random() if self._chance is None else self._chance

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(seconds)


def id_of(number: int) -> UUID:
    """A UUIDv7; a higher number sorts later."""
    return UUID(int=0x0198C1A27B3C7000 << 64 | 0x8 << 60 | number)
