"""Counts the waiting events and the parked messages of a service, for operators and metrics."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.statements.reading import read
from kernel.adapters.postgres.tables import HELD, OUTBOX, PARKED
from kernel.domain.ids import made_at

# PostgreSQL before 18 has no min() of UUIDs. Their texts have the same order.
_WAITING = select(OUTBOX.c.type, func.sum(OUTBOX.c.count), func.min(cast(OUTBOX.c.id, Text))).group_by(
    OUTBOX.c.type
)
_OF_CAUSE = and_(
    HELD.c.dead_letter == PARKED.c.dead_letter, HELD.c.type == PARKED.c.type, HELD.c.reason == PARKED.c.reason
)
_IS_HELD = HELD.c.reason.is_not(None)
_PARKED = (
    select(PARKED.c.reason, _IS_HELD.label("held"), func.count().label("parked"))
    .join_from(PARKED, HELD, _OF_CAUSE, isouter=True)
    .group_by(PARKED.c.reason, _IS_HELD)
)


async def waiting(engine: AsyncEngine) -> dict[str, tuple[int, datetime]]:
    """For each event type, the number of events that wait to be published, and the time of the oldest one."""
    rows = await read(engine, _WAITING)
    return {name: (count, made_at(UUID(oldest))) for name, count, oldest in rows}


async def parked(engine: AsyncEngine) -> tuple[dict[str, int], dict[str, int]]:
    """The number of parked messages for each reason: first those that are not held, then those that are."""
    rows = await read(engine, _PARKED)
    waiting, held = (
        {row["reason"]: row["parked"] for row in rows if row["held"] is is_held} for is_held in (False, True)
    )
    return waiting, held
