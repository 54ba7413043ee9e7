"""Checks queries: refuses and names parameters that are unknown to the route or come twice."""

from functools import cache
from typing import Annotated, Any

import msgspec
from litestar import Request
from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter
from litestar.typing import FieldDefinition

from kernel.adapters.http.parsing.faults import FAULTS_MAX, invalid
from kernel.adapters.http.parsing.words import must_be, shown
from kernel.contracts.values import Amount, Instant, UserId
from kernel.domain.errors import FieldError

ANY_QUERY = "any_query"  # A key in the `opt` of routes that accept any query, such as static files.


async def plain_query(request: Request[Any, Any, Any]) -> None:
    """Checks the query before a request. Raises Invalid, which names the parameters that are unknown, come
    twice, or are `null`. Litestar would treat `null` as absent. A user id may be `null`."""
    if not request.scope["query_string"] or ANY_QUERY in request.route_handler.opt:
        return
    known = declared(request.route_handler)
    for name, values in request.query_params.dict().items():
        if name not in known or len(values) > 1 or (values[0].lower() == "null" and not _value(known[name])):
            raise invalid(query_faults(request))


def query_faults(request: Request[Any, Any, Any]) -> list[FieldError]:
    """All faults of the request's query; empty if there are none."""
    known, given = declared(request.route_handler), request.query_params.dict()
    errors = []
    for name, values in given.items():
        if name not in known:
            errors.append(FieldError(name, f"is unknown: this route takes {', '.join(known) or 'no query'}"))
        elif len(values) > 1:
            errors.append(FieldError(name, "must be given once"))
        elif message := _fault(known[name], values[0]):
            errors.append(FieldError(name, message))
    missing = [name for name, field in known.items() if field.is_required and name not in given]
    return errors[:FAULTS_MAX] + [FieldError(name, "is required") for name in missing]


@cache
def declared(handler: BaseRouteHandler) -> dict[str, FieldDefinition]:
    """The query parameters of a route, by the names that clients use."""
    return {
        field.kwarg_definition.name or field.name: field
        for field in handler.parsed_fn_signature.parameters.values()
        if isinstance(field.kwarg_definition, QueryParameter)
    }


def fault(field: FieldDefinition, text: str) -> str:
    """The fault in the text of a parameter, in words; empty if there is none."""
    kind = _kind(field)
    try:
        msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError:
        return must_be(kind, shown(text))
    return ""


def _value(field: FieldDefinition) -> type[Amount | Instant | UserId] | None:
    """The contracts' value type that the annotation of a parameter names, if any."""
    return next((kind for kind in (Amount, Instant, UserId) if kind in field.metadata), None)


def _fault(field: FieldDefinition, text: str) -> str:
    kind = _value(field)
    if kind is None:
        return fault(field, text)
    try:
        kind.decode(text)
    except ValueError as error:
        return f"{error}, not {shown(text)}"
    return ""


@cache
def _kind(field: FieldDefinition) -> Any:
    """The parameter's type for msgspec, with its bounds, which Litestar keeps separately."""
    definition: Any = field.kwarg_definition
    kind = field.annotation
    if field.is_optional:
        (kind,) = [part.annotation for part in field.inner_types if not part.is_none_type]
    bounds = {name: getattr(definition, name) for name in ("ge", "le", "min_length", "max_length", "pattern")}
    meta = msgspec.Meta(**{name: bound for name, bound in bounds.items() if bound is not None})
    return Annotated[kind, meta]
