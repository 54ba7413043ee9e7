"""Set-based statements, which take a batch of rows as one array per column or as one JSON document.

Arrays are for keys that a query joins, because the planner then expects few rows. A JSON document is for rows
that are only inserted, because the driver takes three times as long to encode arrays.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    Table,
    TableValuedAlias,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import Insert, insert

from kernel.contracts.values import encode


def unnest(*columns: Column[Any]) -> TableValuedAlias:
    """A derived table named `given`. `arrays` makes its parameters, one array per column."""
    parameters = (bindparam(_name(c), type_=ARRAY(c.type)) for c in columns)
    return (
        func.unnest(*parameters)
        .table_valued(*(column(c.name, c.type) for c in columns), name="given")
        .render_derived()
    )


def arrays(columns: Sequence[Column[Any]], rows: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
    """The parameters of `unnest(*columns)`. Each row has one value for each column, in the same order."""
    transposed = [list(values) for values in zip(*rows, strict=True)] or [[] for _ in columns]
    return {_name(c): values for c, values in zip(columns, transposed, strict=True)}


def insert_arrays(table: Table) -> Insert:
    """An INSERT of whole rows. `arrays(tuple(table.c), rows)` makes its parameters."""
    return insert(table).from_select([c.name for c in table.c], select(*unnest(*table.c).c))


def _name(column: Column[Any]) -> str:
    return f"{column.table.name}_{column.name}"


def records(*columns: Column[Any]) -> TableValuedAlias:
    """A derived table named `given`. `document` makes its one parameter, a JSON text."""
    return (
        func.json_to_recordset(cast(bindparam(columns[0].table.name, type_=Text), JSON))
        .table_valued(*(column(c.name, c.type) for c in columns))
        .render_derived(name="given", with_types=True)
    )


def insert_document(table: Table) -> Insert:
    """An INSERT of whole rows. `document(table, rows)` makes its parameter."""
    return insert(table).from_select([c.name for c in table.c], select(records(*table.c)))


def document(table: Table, rows: Sequence[object]) -> dict[str, str]:
    """The parameter of `records(*columns)`. `rows` are dataclasses or dicts with the names of the columns."""
    return {table.name: encode(rows).decode()}
