"""Generates the OpenAPI document of a service with Litestar, and corrects and completes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import OpenAPIType, Schema, Tag
from litestar.plugins import OpenAPISchemaPlugin
from litestar.types import ControllerRouterHandler
from litestar.typing import FieldDefinition

from kernel.adapters.http.conventions.headers import CHALLENGED, DEPRECATED, RATE_LIMITED, RETRYING
from kernel.adapters.http.health import Probes, health, metrics
from kernel.contracts.problems import Problems
from kernel.contracts.schema import schemas
from kernel.contracts.values import Amount, UserId, encode

if TYPE_CHECKING:
    from litestar._openapi.schema_generation import SchemaCreator

Json = dict[str, Any]

VERSION = "1.0.0"
_CONVENTIONS = """
- Every refusal is a problem (RFC 9457) whose `code` never changes; `errors` names the fields at fault.
- Amounts are exact decimal numbers of currency units, answered with two digits; times are RFC 3339, in UTC.
- A change with an `Idempotency-Key` happens once, even if the request is repeated.
- Unknown fields and unknown query parameters are refused, and so are those that come twice.
- A list header may be split over several lines; a header with a single value must come once.
- Every answer has an `X-Request-Id`: the caller's if it is one line of `[A-Za-z0-9._:/+=-]{1,128}`, else
  the id of the trace. The caller's `traceparent` (W3C Trace Context) is used.
- Reads have `Cache-Control: private, no-cache`: a client may store an answer, and has to revalidate it with
  its `ETag`; a shared cache may not store it.
- Every route with GET also has HEAD.
- Where tokens are required, a call without a valid token gets 401, and another user's data is answered as if
  it did not exist.
- Calls are counted per user, and per address if they have no valid token. A call too many gets 429:
  `Retry-After` and `RateLimit` say when to try again, `RateLimit-Policy` how many calls are allowed in which
  time. Health is not counted; these documents are.
"""
HEALTH = {"Health": "For operators and orchestrators."}

# The statuses that only the middleware answers.
_OF_LAYERS = ("401", "429")
_HEADERS = {"401": CHALLENGED, "429": RETRYING | RATE_LIMITED, "503": RETRYING}
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "Required if `SHOP_AUTH` is `jwt`. `sub` is the user; `shop:operator` or `shop:viewer`"
    " in `scope` or `roles` makes an operator or a viewer.",
}
_NOTHING_BY_DEFAULT = ("allowEmptyValue", "allowReserved", "deprecated", "headers", "required")


@dataclass(frozen=True)
class Api:
    """The HTTP API of a service, without its health routes. `tags` maps tags to their descriptions."""

    title: str
    description: str
    tags: Mapping[str, str]
    routes: Sequence[ControllerRouterHandler]
    ui_path: str
    problems: Problems
    pages: Sequence[ControllerRouterHandler] = ()
    """Routes of pages for people, which are not in the OpenAPI document. One of the pages is at `/`."""

    @cached_property
    def openapi(self) -> bytes:
        """The OpenAPI document in JSON. The same routes give the same bytes."""
        config = OpenAPIConfig(
            title=self.title,
            version=VERSION,
            description=f"{self.description}\n{_CONVENTIONS}",
            tags=[Tag(name=name, description=text) for name, text in {**self.tags, **HEALTH}.items()],
        )
        published = _Published()
        described = Litestar(
            [*self.routes, health(Probes()), metrics(_nothing)],
            openapi_config=config,
            plugins=[published],
            logging_config=None,
        )
        document = described.openapi_schema.to_schema()
        document["components"]["schemas"] = schemas(published.structs)
        document["components"]["securitySchemes"] = {"bearer": _BEARER}
        return encode(_completed(document))


async def _nothing() -> bytes:
    return b""


class _Published(OpenAPISchemaPlugin):
    """Collects the contracts' structs that the routes use. The contracts make their schemas, not Litestar."""

    def __init__(self) -> None:
        self.structs: set[type[msgspec.Struct]] = set()

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        published = (Amount, UserId, msgspec.Struct)
        return not field_definition.is_union and field_definition.is_subclass_of(published)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: "SchemaCreator") -> Schema:
        if not field_definition.is_subclass_of(msgspec.Struct):
            return Schema(type=OpenAPIType.STRING)
        self.structs.add(field_definition.annotation)
        return schema_creator.create_component_schema(field_definition, required=[], property_fields={})


def _completed(document: Json) -> Json:
    paths = document["paths"]
    operations = [operation for path in paths.values() for operation in path.values()]
    offered = {operation["operationId"] for operation in operations}
    for operation in operations:
        _complete_operation(operation, offered)
    document["paths"] = {path: dict(sorted(paths[path].items())) for path in sorted(paths)}
    return {name: _without_defaults(part) for name, part in document.items()}


def _complete_operation(operation: Json, offered: set[str]) -> None:
    for parameter in operation.get("parameters", []):
        _complete_parameter(parameter)
    for media in operation.get("requestBody", {}).get("content", {}).values():
        _complete_body(media)
    for status, response in operation["responses"].items():
        is_the_routes = status not in _OF_LAYERS
        further = _HEADERS.get(status, {}) | (DEPRECATED if operation["deprecated"] and is_the_routes else {})
        if further:
            described = {name: header.to_schema() for name, header in further.items()}
            response["headers"] = response.get("headers", {}) | described
        elsewhere = offered - {operation["operationId"]}
        if links := {name: link for name, link in response.pop("links", {}).items() if name in elsewhere}:
            response["links"] = links
        for media in response.get("content", {}).values():
            _complete_examples(media)
    if "401" in operation["responses"]:
        operation["security"] = [{"bearer": []}, {}]
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _complete_parameter(parameter: Json) -> None:
    """Removes null, because an optional parameter is absent instead, and texts that its schema repeats."""
    schema = parameter["schema"]
    if alternatives := schema.pop("oneOf", None):
        schema |= next(kind for kind in alternatives if kind["type"] != "null")
    if "enum" in schema:
        schema |= {"type": "string", "enum": [value for value in schema["enum"] if value is not None]}
    for bound in schema.keys() & {"minimum", "maximum"}:
        schema[bound] = int(schema[bound])
    for repeated in ("description", "examples"):
        schema.pop(repeated, None)
    _complete_examples(parameter)


def _complete_body(media: Json) -> None:
    """Moves the example from the body's schema to the body itself."""
    schema = media["schema"]
    (media["example"],) = schema.pop("examples")
    if "allOf" in schema:
        (media["schema"],) = schema["allOf"]


def _complete_examples(described: Json) -> None:
    """Removes the ids of examples, which are also their keys. A single example is given without a key."""
    examples = described.get("examples", {})
    for example in examples.values():
        example.pop("id", None)
    if len(examples) == 1:
        (example,) = described.pop("examples").values()
        described["example"] = example["value"]


def _without_defaults(part: Any) -> Any:
    """Removes attributes that Litestar writes although they have OpenAPI's default value."""
    if isinstance(part, list):
        return [_without_defaults(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        name: _without_defaults(value)
        for name, value in part.items()
        if value or name not in _NOTHING_BY_DEFAULT
    }
