"""Declares the operators' reads for OpenAPI, for the services and for the gateway."""

from typing import Any

from kernel.adapters.http.conventions.headers import LINK, answering_with
from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.operations import ALWAYS, AWAY, FORBIDDEN, Operation, answering
from kernel.contracts.problems import COMMON

Answer = tuple[Any, str, object]
"""The type of the body, its description, and an example."""


def read(path: str, operation_id: str, summary: str, *missing: tuple[int, str], answer: Answer) -> Operation:
    """`missing` are problems in addition to those of every read."""
    return Operation(
        path=path,
        operation_id=operation_id,
        summary=summary,
        responses=answering(200, *answer) | problems(COMMON, *ALWAYS, FORBIDDEN, *missing, *AWAY),
    )


def page(path: str, operation_id: str, summary: str, *missing: tuple[int, str], answer: Answer) -> Operation:
    """A read with a link to the next page."""
    whole = read(path, operation_id, summary, *missing, answer=answer)
    return whole | Operation(operation_class=answering_with(LINK))
