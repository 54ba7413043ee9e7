"""What must hold in the database of a service, as the service declares it for `shop audit`."""

from collections.abc import Callable, Iterator
from typing import Any

from kernel.domain.faults import Fault
from kernel.domain.value import value

# asyncpg's record: columns by name and by number.
Row = Any


@value
class Check:
    """Nothing that it looks at can be under way, since a transaction is whole."""

    name: str
    promise: str
    tables: tuple[str, ...]
    """Whose rows are counted as checked."""
    query: str
    """Selects what may be wrong."""
    faults_of: Callable[[Row], Iterator[Fault]]
    """What is wrong with a row that `query` selects."""
