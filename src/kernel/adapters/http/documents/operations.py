"""How a service declares an operation: documented once in its contract, offered by all who serve it.

A service also documents what only a gateway before it answers (`unavailable`): both offer one contract.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict
from urllib.parse import quote

import msgspec
from litestar.dto import AbstractDTO
from litestar.middleware import ASGIMiddleware
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example, Link
from litestar.openapi.spec import Operation as OpenAPIOperation
from litestar.params import Body
from litestar.types import BeforeRequestHookHandler, Guard

from kernel.contracts.values import encode

_PARAMETER = re.compile(r"{.*}")


class Operation(TypedDict, total=False):
    """What a route is declared with, as in `@post(**…)`; `path` is its path below that of all."""

    path: str
    operation_id: str
    summary: str
    description: str
    dto: type[AbstractDTO[Any]]
    status_code: int
    request_max_body_size: int
    deprecated: bool
    tags: Sequence[str]
    guards: Sequence[Guard]
    before_request: BeforeRequestHookHandler
    middleware: Sequence[ASGIMiddleware]
    operation_class: type[OpenAPIOperation]
    responses: Mapping[int, ResponseSpec]


def path_of(operation: Operation, about: object) -> str:
    """`about` takes the place of the parameter, as one segment, whatever characters it holds."""
    return _PARAMETER.sub(quote(str(about), safe=""), operation["path"])


def answering(status: int, kind: Any, description: str, example: object) -> dict[int, ResponseSpec]:
    shown = [_shown(example)]
    return {status: ResponseSpec(kind, generate_examples=False, description=description, examples=shown)}


def to(*operations: str, **parameters: str) -> dict[str, Link]:
    """The operations that may follow, and what each needs of the first one's answer (OpenAPI links).

    For `answering_with`. A document shows the links to operations that it has itself.
    """
    return {name: Link(operation_id=name, parameters=parameters) for name in operations}


def body(example: object) -> Any:
    return Body(examples=[_shown(example)])


def _shown(example: object) -> Example:
    """Encoded, or Litestar would leave out what is null."""
    return Example(value=msgspec.Raw(encode(example)))


# Problems of all operations, and of many.
ALWAYS = ((400, "invalid_request"), (401, "unauthorized"), (429, "rate_limited"))
FORBIDDEN = (403, "forbidden")
INVALID_BODY = (*ALWAYS, (413, "body_too_large"), (415, "unsupported_media_type"))
KEY_REUSED = (422, "idempotency_key_reused")
OVERLOADED = (503, "overloaded")
AWAY = ((503, "unavailable"), OVERLOADED, (503, "database_unavailable"))
NOT_WRITTEN = (*AWAY, (504, "outcome_unknown"))
