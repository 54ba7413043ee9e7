"""Reads an account's committed transfers, outside of a unit of work."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, and_, bindparam, case, literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.postgres.statements.reading import read
from payments.adapters.outbound.postgres import transfer_of
from payments.adapters.outbound.tables import TRANSFERS
from payments.domain.account import Account
from payments.domain.transfer import Transfer

_NEWEST = (
    select(*TRANSFERS.c)
    .where(TRANSFERS.c.user_id == bindparam("user_id"))
    .order_by(TRANSFERS.c.sequence.desc())
    .limit(bindparam("limit", type_=BigInteger))
)
_BEFORE = _NEWEST.where(TRANSFERS.c.sequence < bindparam("after"))

# Finds an account's last transfer up to a time by binary search over the sequence, which has no gap. Each
# step reads one transfer by its key. An index by time would slow down every order.
_search = select(
    literal(0, BigInteger).label("low"),
    bindparam("sequence", type_=BigInteger).label("high"),
    literal(0, BigInteger).label("balance"),
).cte("search", recursive=True)
_middle = (_search.c.low + _search.c.high + 1) // 2
_is_older = TRANSFERS.c.created_at <= bindparam("at")
_search = _search.union_all(
    select(
        case((_is_older, _middle), else_=_search.c.low),
        case((_is_older, _search.c.high), else_=_middle - 1),
        case((_is_older, TRANSFERS.c.balance_after), else_=_search.c.balance),
    ).join_from(
        _search,
        TRANSFERS,
        and_(
            _search.c.low < _search.c.high,
            TRANSFERS.c.user_id == bindparam("user_id"),
            TRANSFERS.c.sequence == _middle,
        ),
    )
)
_BALANCE_AT = select(_search.c.balance).where(_search.c.low == _search.c.high)


class PostgresStatements:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, user_id: str, *, after: int | None, limit: int) -> Sequence[Transfer]:
        query = _NEWEST if after is None else _BEFORE
        rows = await read(self._engine, query, {"user_id": user_id, "after": after, "limit": limit})
        return [transfer_of(row) for row in rows]

    async def balance(self, account: Account, at: datetime) -> int:
        given = {"user_id": account.user_id, "sequence": account.sequence, "at": at}
        ((balance,),) = await read(self._engine, _BALANCE_AT, given)
        return int(balance)
