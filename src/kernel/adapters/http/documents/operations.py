"""Declares operations. A service and the gateway use the same declaration for their routes.

So a service also documents the problem `unavailable`, although only the gateway answers it.
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
    """The arguments of a route's decorator, as in `@post(**…)`. `path` is relative to the router's path."""

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
    """The operation's path, with `about` in place of its parameter, quoted as one segment."""
    return _PARAMETER.sub(quote(str(about), safe=""), operation["path"])


def answering(status: int, kind: Any, description: str, example: object) -> dict[int, ResponseSpec]:
    shown = [_shown(example)]
    return {status: ResponseSpec(kind, generate_examples=False, description=description, examples=shown)}


def to(*operations: str, **parameters: str) -> dict[str, Link]:
    """OpenAPI links to the operations that may follow. `parameters` get their values from the answer.

    `answering_with` takes these links. A document shows only links to operations that it contains.
    """
    return {name: Link(operation_id=name, parameters=parameters) for name in operations}


def body(example: object) -> Any:
    return Body(examples=[_shown(example)])


def _shown(example: object) -> Example:
    """The example as encoded JSON, because Litestar would leave out null values."""
    return Example(value=msgspec.Raw(encode(example)))


# The problems that all operations have, and problems that many operations share.
ALWAYS = ((400, "invalid_request"), (401, "unauthorized"), (429, "rate_limited"))
FORBIDDEN = (403, "forbidden")
INVALID_BODY = (*ALWAYS, (413, "body_too_large"), (415, "unsupported_media_type"))
KEY_REUSED = (422, "idempotency_key_reused")
OVERLOADED = (503, "overloaded")
AWAY = ((503, "unavailable"), OVERLOADED, (503, "database_unavailable"))
NOT_WRITTEN = (*AWAY, (504, "outcome_unknown"))
