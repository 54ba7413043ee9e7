"""The OpenAPI document of a service: what Litestar knows of its routes, and what it cannot say of them."""

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
- Whatever is refused is answered with a problem (RFC 9457) whose `code` never changes; `errors` names fields.
- Amounts are exact decimal numbers of currency units, answered with two digits; times are RFC 3339, in UTC.
- A change that bears an `Idempotency-Key` happens once, however often it is asked for.
- A query parameter that a route does not know, or that comes twice, is refused, as an unknown field is.
- A header in several lines is one list; a single value in two lines is refused, as a field given twice is.
- Every answer has an `X-Request-Id`: the caller's where it is one line of `[A-Za-z0-9._:/+=-]{1,128}`, else
  the id of the trace. `traceparent` (W3C Trace Context) is taken over from the caller.
- Reads say `Cache-Control: private, no-cache`: a client may keep an answer, and asks with its `ETag` whether
  it is still current; a shared cache may not keep it.
- Whatever has GET has HEAD, too.
- Where tokens are asked for, a call without a good one is answered with 401, and what is another user's is
  answered as what is not there.
- Calls are counted by user, and by address where they bear no valid token. One too many is answered with 429:
  `Retry-After` and `RateLimit` say when to come back, `RateLimit-Policy` how many may come in which time.
  Health is not counted; these documents are.
"""
HEALTH = {"Health": "For operators and orchestrators."}

# What the layers around the routes answer.
_OF_LAYERS = ("401", "429")
_HEADERS = {"401": CHALLENGED, "429": RETRYING | RATE_LIMITED, "503": RETRYING}
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "Asked for where `SHOP_AUTH` is `jwt`. `sub` is the user; `shop:operator` or `shop:viewer`"
    " in `scope` or `roles` makes an operator or a viewer.",
}
_NOTHING_BY_DEFAULT = ("allowEmptyValue", "allowReserved", "deprecated", "headers", "required")


@dataclass(frozen=True)
class Api:
    """What a service offers over HTTP, besides its health; tags are given with their descriptions."""

    title: str
    description: str
    tags: Mapping[str, str]
    routes: Sequence[ControllerRouterHandler]
    ui_path: str
    problems: Problems
    pages: Sequence[ControllerRouterHandler] = ()
    """What is for people: it is no part of the document. One of them is at `/`."""

    @cached_property
    def openapi(self) -> bytes:
        """Its OpenAPI document in JSON; the same routes give the same bytes."""
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
    """What is published has its schemas from the published language; Litestar only names the structs."""

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
    """What may be left out is not therefore null, and nothing is said of a parameter and its schema both."""
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
    """The example belongs to the body, not to its schema."""
    schema = media["schema"]
    (media["example"],) = schema.pop("examples")
    if "allOf" in schema:
        (media["schema"],) = schema["allOf"]


def _complete_examples(described: Json) -> None:
    """One example needs no name, and several have theirs as keys."""
    examples = described.get("examples", {})
    for example in examples.values():
        example.pop("id", None)
    if len(examples) == 1:
        (example,) = described.pop("examples").values()
        described["example"] = example["value"]


def _without_defaults(part: Any) -> Any:
    """Litestar writes out what OpenAPI takes for granted."""
    if isinstance(part, list):
        return [_without_defaults(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        name: _without_defaults(value)
        for name, value in part.items()
        if value or name not in _NOTHING_BY_DEFAULT
    }
