from datetime import datetime
from typing import Any

import msgspec
from asyncpg import Record
from sqlalchemy import any_, bindparam, delete, func, select, update

from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.statements.unnest import arrays, insert_arrays
from kernel.domain.faults import Fault
from orders.adapters.outbound.tables import AUDIT_RUNS
from orders.domain.audit_run import AuditRun, RunState

_COLUMNS = tuple(AUDIT_RUNS.c)
_LATEST = select(AUDIT_RUNS).order_by(AUDIT_RUNS.c.number.desc()).limit(1)
_ADD = insert_arrays(AUDIT_RUNS)
_SAVE = (
    update(AUDIT_RUNS)
    .where(
        AUDIT_RUNS.c.number == bindparam("the_number"),
        AUDIT_RUNS.c.state == bindparam("running", type_=AUDIT_RUNS.c.state.type),
    )
    .values({c.name: bindparam(f"new_{c.name}", type_=c.type) for c in _COLUMNS if c.name != "number"})
    .returning(AUDIT_RUNS.c.number)
)
_NUMBERS = AUDIT_RUNS.c.number
_OLDEST = (
    select(_NUMBERS)
    .where(
        AUDIT_RUNS.c.ended_at < bindparam("before"), select(func.max(_NUMBERS)).scalar_subquery() > _NUMBERS
    )
    .order_by(_NUMBERS)
    .limit(bindparam("count_max"))
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_PRUNE = delete(AUDIT_RUNS).where(any_(func.array(_OLDEST)) == _NUMBERS).returning(_NUMBERS)
_JSON = {"checked": list[tuple[str, int, int]], "faults": list[tuple[str, Fault]]}


class PostgresAuditRuns:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def latest(self) -> AuditRun | None:
        rows = await self._uow.transaction.execute(_LATEST)
        return _run(rows[0]) if rows else None

    async def add(self, run: AuditRun) -> None:
        row = _row(run)
        given = arrays(_COLUMNS, [[row[c.name] for c in _COLUMNS]])
        await self._uow.transaction.execute(_ADD, given)

    async def save(self, run: AuditRun) -> bool:
        given = {f"new_{name}": value for name, value in _row(run).items() if name != "number"}
        named = {"the_number": run.number, "running": RunState.RUNNING.value}
        return bool(await self._uow.transaction.execute(_SAVE, {**given, **named}))

    async def prune(self, *, before: datetime, count_max: int) -> int:
        wanted = {"before": before, "count_max": count_max}
        return len(await self._uow.transaction.execute(_PRUNE, wanted))


def _row(run: AuditRun) -> dict[str, Any]:
    row = {c.name: getattr(run, c.name) for c in _COLUMNS}
    return row | {name: msgspec.json.encode(row[name]).decode() for name in _JSON}


def _run(row: Record) -> AuditRun:
    read = {name: msgspec.json.decode(row[name], type=kind) for name, kind in _JSON.items()}
    return AuditRun(**{**row, **read, "state": RunState(row["state"])})
