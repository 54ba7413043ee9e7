"""How a service declares, for `shop audit`, what must always hold in its database."""

from collections.abc import Callable, Iterator
from typing import Any

from kernel.domain.faults import Fault
from kernel.domain.value import value

# asyncpg's record: columns by name and by number.
Row = Any


@value
class Check:
    """One condition. It holds after every transaction, so work in progress cannot violate it."""

    name: str
    promise: str
    tables: tuple[str, ...]
    """The tables whose rows are counted as checked."""
    query: str
    """Selects the rows that may be wrong."""
    faults_of: Callable[[Row], Iterator[Fault]]
    """The faults of a row that `query` selects."""
