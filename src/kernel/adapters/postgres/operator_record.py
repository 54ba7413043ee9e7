from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from kernel.adapters.postgres.statements.unit_of_work import PostgresUnitOfWork
from kernel.adapters.postgres.statements.unnest import document, records
from kernel.adapters.postgres.tables import OPERATOR_RECORD
from kernel.domain.acts import Act

_COLUMNS = tuple(OPERATOR_RECORD.c)
_ADD = (
    insert(OPERATOR_RECORD)
    .from_select([c.name for c in _COLUMNS], select(records(*_COLUMNS)))
    .on_conflict_do_nothing(index_elements=[*OPERATOR_RECORD.primary_key])
)


class PostgresOperatorRecord:
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    async def add(self, acts: Sequence[Act]) -> None:
        if acts:
            rows = sorted(acts, key=lambda act: (act.user_id, act.subject, act.did))
            await self._uow.transaction.write(_ADD, document(OPERATOR_RECORD, rows))
