"""What must hold in the database of a service, as the service declares it for `shop audit`."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from kernel.domain.money import in_units
from kernel.domain.value import value

# asyncpg's record: columns by name and by number.
Row = Any


@value
class Fault:
    """`subject` names the order, account or message; `kind` is a stable word for programs."""

    subject: str
    kind: str
    found: str
    expected: str


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


def money(minor: int | Decimal | None) -> str:
    return "nothing" if minor is None else str(in_units(int(minor)))


def word(value: Any) -> str:
    return "nothing" if value is None else str(value)
