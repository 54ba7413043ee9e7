"""Parked messages by what their failures have in common."""

from collections.abc import Mapping

from sqlalchemy import Boolean, ColumnElement, Table, Text, and_, bindparam

from kernel.domain.parked import Cause


def of_cause(table: Table) -> ColumnElement[bool]:
    """Whether a row is of the cause that `named` gives."""
    return and_(
        table.c.dead_letter == bindparam("dead_letter", type_=Boolean),
        table.c.type == bindparam("type", type_=Text),
        table.c.reason == bindparam("reason", type_=Text),
    )


def named(cause: Cause) -> Mapping[str, object]:
    return {"dead_letter": cause.dead_letter, "type": cause.type, "reason": cause.reason}
