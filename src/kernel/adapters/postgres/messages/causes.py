"""Makes the SQL condition that selects rows by the cause for which messages were parked."""

from collections.abc import Mapping

from sqlalchemy import Boolean, ColumnElement, Table, Text, and_, bindparam

from kernel.domain.parked import Cause


def of_cause(table: Table) -> ColumnElement[bool]:
    """The condition for the rows of one cause. `named` makes the values of its parameters."""
    return and_(
        table.c.dead_letter == bindparam("dead_letter", type_=Boolean),
        table.c.type == bindparam("type", type_=Text),
        table.c.reason == bindparam("reason", type_=Text),
    )


def named(cause: Cause) -> Mapping[str, object]:
    return {"dead_letter": cause.dead_letter, "type": cause.type, "reason": cause.reason}
