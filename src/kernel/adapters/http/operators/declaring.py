"""Declares the operators' GETs and POSTs, for the routes of the services and of the gateway."""

from typing import Any

from kernel.adapters.http.conventions.headers import LINK, answering_with
from kernel.adapters.http.conventions.idempotency import nothing_but_a_key
from kernel.adapters.http.conventions.problem import problems
from kernel.adapters.http.documents.operations import (
    ALWAYS,
    AWAY,
    FORBIDDEN,
    INVALID_BODY,
    NOT_WRITTEN,
    Operation,
    answering,
)
from kernel.adapters.http.parsing.body import JsonBody
from kernel.contracts.problems import COMMON

Answer = tuple[Any, str, object]
"""The type of the body, its description, and an example."""


def read(path: str, operation_id: str, summary: str, *missing: tuple[int, str], answer: Answer) -> Operation:
    """Declares a GET. `missing` are its problems in addition to the problems that every read has."""
    return Operation(
        path=path,
        operation_id=operation_id,
        summary=summary,
        responses=answering(200, *answer) | problems(COMMON, *ALWAYS, FORBIDDEN, *missing, *AWAY),
    )


def page(path: str, operation_id: str, summary: str, *missing: tuple[int, str], answer: Answer) -> Operation:
    """Declares a GET that answers with one page of a list and a link to the next page. See `read`."""
    whole = read(path, operation_id, summary, *missing, answer=answer)
    return whole | Operation(operation_class=answering_with(LINK))


def change(
    path: str,
    operation_id: str,
    summary: str,
    *missing: tuple[int, str],
    answer: Answer,
    status: int = 200,
    has_body: bool,
) -> Operation:
    """Declares a POST. `missing` are its problems in addition to the problems that every change has."""
    refused = INVALID_BODY if has_body else ALWAYS
    takes = Operation(dto=JsonBody) if has_body else Operation(before_request=nothing_but_a_key)
    return takes | Operation(
        path=path,
        operation_id=operation_id,
        summary=summary,
        status_code=status,
        responses=answering(status, *answer) | problems(COMMON, *refused, FORBIDDEN, *missing, *NOT_WRITTEN),
    )
