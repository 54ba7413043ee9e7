"""The plans by which PostgreSQL carried statements out."""

from collections.abc import Iterator
from typing import Any

Plan = dict[str, Any]


def scans_of(plan: Plan) -> Iterator[Plan]:
    """The parts of a plan that read a table or an index."""
    if plan["Node Type"].endswith("Scan"):
        yield plan
    for part in plan.get("Plans", []):
        yield from scans_of(part)
