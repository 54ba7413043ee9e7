from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.checks.schema import revision
from kernel.adapters.postgres.messages.figures import parked, waiting
from kernel.domain.overview import WaitingEvents


class PostgresFigures:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def waiting(self) -> Sequence[WaitingEvents]:
        found = await waiting(self._engine)
        return [WaitingEvents(name, count, since) for name, (count, since) in sorted(found.items())]

    async def parked(self) -> Mapping[str, int]:
        return (await parked(self._engine))[0]

    async def held(self) -> int:
        return sum((await parked(self._engine))[1].values())

    async def revision(self) -> int:
        return await revision(self._engine)
