"""Makes the query for the oldest outbox row that waits to be published."""

from typing import Any

from sqlalchemy import Select, not_, select

from kernel.adapters.postgres.tables import OUTBOX
from kernel.application.set_aside import ASIDE


def oldest_but(*types: str) -> Select[Any]:
    """Selects type and id of the oldest outbox row, except rows of `types` and rows set aside for a lane.

    Services run this query once a second. The table's key begins with the type, so the query looks up the
    oldest row of each type. A search by id alone would read the whole table to sort it.
    """
    first = select(OUTBOX.c.type).order_by(OUTBOX.c.type).limit(1).subquery()
    found = select(first.c.type).cte("types", recursive=True)
    following = select(OUTBOX.c.type).where(OUTBOX.c.type > found.c.type).order_by(OUTBOX.c.type).limit(1)
    found = found.union_all(select(following.scalar_subquery()).where(found.c.type.is_not(None)))
    oldest = select(OUTBOX.c.id).where(OUTBOX.c.type == found.c.type).order_by(OUTBOX.c.id).limit(1)
    heads = (
        select(found.c.type, oldest.scalar_subquery().label("id"))
        .where(*(found.c.type != name for name in types))
        .where(not_(found.c.type.startswith(ASIDE, autoescape=True)))
        .subquery("heads")
    )
    return select(heads.c.type, heads.c.id).where(heads.c.id.is_not(None)).order_by(heads.c.id).limit(1)
