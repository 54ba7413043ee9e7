from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.checks.schema import revision
from kernel.adapters.postgres.messages.figures import parked, waiting
from kernel.domain.overview import WaitingEvents


class PostgresMessagingFigures:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def waiting(self) -> Sequence[WaitingEvents]:
        found = await waiting(self._engine)
        return [WaitingEvents(name, count, since) for name, (count, since) in sorted(found.items())]

    async def parked(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        return await parked(self._engine)

    async def revision(self) -> int:
        return await revision(self._engine)
