"""Set-based statements: a batch of rows travels as one array parameter a column."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ARRAY, Column, TableValuedAlias, bindparam, column, func


def unnest(*columns: Column[Any]) -> TableValuedAlias:
    """The derived table `given`; `arrays` makes its parameters, one array a column."""
    parameters = (bindparam(f"given_{c.name}", type_=ARRAY(c.type)) for c in columns)
    return (
        func.unnest(*parameters)
        .table_valued(*(column(c.name, c.type) for c in columns), name="given")
        .render_derived()
    )


def arrays(columns: Sequence[Column[Any]], rows: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
    """The parameters of `unnest(*columns)`: each row holds a value a column, in that order."""
    transposed = [list(values) for values in zip(*rows, strict=True)] or [[] for _ in columns]
    return {f"given_{c.name}": values for c, values in zip(columns, transposed, strict=True)}
