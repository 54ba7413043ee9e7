"""The form in which a service declares the conditions that `shop audit` checks in its database."""

from collections.abc import Callable, Iterator
from typing import Any

from kernel.domain.faults import Fault
from kernel.domain.value import value

# An asyncpg.Record, whose columns are read by name or by index.
Row = Any


@value
class Check:
    """A condition on rows. It holds after every transaction, so work in progress cannot violate it."""

    name: str
    promise: str
    tables: tuple[str, ...]
    """The audit reports the total of rows in these tables as the number of checked rows."""
    query: str
    """The SQL query for rows that may violate the condition."""
    faults_of: Callable[[Row], Iterator[Fault]]
    """Yields the faults of a row that `query` selected."""
