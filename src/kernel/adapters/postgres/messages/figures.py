"""What operators watch in the tables of a service."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.statements.reading import read
from kernel.adapters.postgres.tables import OUTBOX, PARKED
from kernel.domain.ids import made_at

# PostgreSQL before 18 knows no min() of ids, and as text they sort alike.
_WAITING = select(OUTBOX.c.type, func.sum(OUTBOX.c.count), func.min(cast(OUTBOX.c.id, Text))).group_by(
    OUTBOX.c.type
)
_PARKED = select(PARKED.c.reason, func.count().label("parked")).group_by(PARKED.c.reason)


async def waiting(engine: AsyncEngine) -> dict[str, tuple[int, datetime]]:
    """How many events wait to be published, and since when the oldest does, by type."""
    rows = await read(engine, _WAITING)
    return {name: (count, made_at(UUID(oldest))) for name, count, oldest in rows}


async def parked(engine: AsyncEngine) -> dict[str, int]:
    """How many messages are parked, by reason."""
    return dict(await read(engine, _PARKED))
