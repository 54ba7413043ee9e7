"""Measures samples of orders in PostgreSQL, and stores the steps of the series computed from them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ARRAY, Interval, Uuid, any_, bindparam, delete, extract, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.statements.reading import read
from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.statements.unnest import arrays, insert_arrays
from kernel.domain.ids import first_id
from orders.adapters.outbound.tables import ORDER_HISTORY, ORDERS, SERIES_STEPS
from orders.domain.series import SETTLES_AFTER, STEP, Measured, Step

# The count and the sample read only the index of ids.
_IN_STEP = (ORDERS.c.id >= bindparam("first", type_=Uuid), ORDERS.c.id < bindparam("end", type_=Uuid))
_COUNT = select(func.count()).select_from(ORDERS).where(*_IN_STEP).scalar_subquery()
_RANDOM_END = func.substr(func.uuid_send(ORDERS.c.id), 13)
_SAMPLE = (
    select(ORDERS.c.id, _COUNT.label("orders"))
    .where(*_IN_STEP)
    .order_by(_RANDOM_END, ORDERS.c.id)
    .limit(bindparam("sample_max"))
)
# The second row of a history is the decision. A subquery reads it: for a join, the planner might start with
# the histories and read all of them.
_DECIDED_AT = (
    select(ORDER_HISTORY.c.at)
    .where(
        ORDER_HISTORY.c.user_id == ORDERS.c.user_id,
        ORDER_HISTORY.c.order_id == ORDERS.c.id,
        ORDER_HISTORY.c.sequence == 2,
    )
    .scalar_subquery()
)
_SECONDS = select(extract("epoch", _DECIDED_AT - ORDERS.c.created_at).label("seconds")).where(
    ORDERS.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))
)

_COLUMNS = tuple(SERIES_STEPS.c)
_SINCE = select(SERIES_STEPS).where(SERIES_STEPS.c.start >= bindparam("since")).order_by(SERIES_STEPS.c.start)
_INSERT = insert_arrays(SERIES_STEPS)
_KEEP = _INSERT.on_conflict_do_update(
    index_elements=[SERIES_STEPS.c.start],
    set_={c.name: _INSERT.excluded[c.name] for c in _COLUMNS if c.name != "start"},
    where=(SERIES_STEPS.c.computed_at < SERIES_STEPS.c.start + bindparam("final_after", type_=Interval))
    & (SERIES_STEPS.c.computed_at < _INSERT.excluded.computed_at),
)
_OLDEST = (
    select(SERIES_STEPS.c.start)
    .where(SERIES_STEPS.c.start < bindparam("before"))
    .order_by(SERIES_STEPS.c.start)
    .limit(bindparam("count_max"))
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_PRUNE = (
    delete(SERIES_STEPS)
    .where(SERIES_STEPS.c.start == any_(func.array(_OLDEST)))
    .returning(SERIES_STEPS.c.start)
)


class PostgresMeasuredOrders:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def measure(self, start: datetime, end: datetime, *, sample_max: int) -> Measured:
        wanted = {"first": first_id(start), "end": first_id(end), "sample_max": sample_max}
        sample = await read(self._engine, _SAMPLE, wanted)
        if not sample:
            return Measured(0, 0, [])
        rows = await read(self._engine, _SECONDS, {"ids": [row["id"] for row in sample]})
        # If the clocks of two processes differ, the stored decision may be earlier than the order.
        seconds = [max(0.0, float(row["seconds"])) for row in rows if row["seconds"] is not None]
        return Measured(sample[0]["orders"], len(sample), seconds)


class PostgresSeries:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def since(self, start: datetime) -> Sequence[Step]:
        rows = await self._uow.transaction.execute(_SINCE, {"since": start})
        return [Step(**row) for row in rows]

    async def keep(self, steps: Sequence[Step]) -> None:
        in_order = sorted(steps, key=lambda step: step.start)
        given = arrays(_COLUMNS, ([getattr(step, c.name) for c in _COLUMNS] for step in in_order))
        await self._uow.transaction.write(_KEEP, {**given, "final_after": STEP + SETTLES_AFTER})

    async def prune(self, *, before: datetime, count_max: int) -> int:
        wanted = {"before": before, "count_max": count_max}
        return len(await self._uow.transaction.execute(_PRUNE, wanted))
