"""The audit's checks of the database of points."""

from collections.abc import Iterator

from kernel.adapters.postgres.audit import Check, Row
from kernel.domain.faults import Fault


def points_faults(row: Row) -> Iterator[Fault]:
    yield Fault(f"points of {row['user_id']}", "points_negative", str(row["points"]), "never negative")


CHECKS = (
    Check(
        "points",
        "nobody owes any",
        ("points",),
        "SELECT user_id, points FROM points WHERE points < 0",
        points_faults,
    ),
)
