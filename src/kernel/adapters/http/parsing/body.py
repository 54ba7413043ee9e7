"""Decodes JSON bodies directly into their structs, with errors that name the fields."""

from collections.abc import Generator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import msgspec
from litestar.connection import ASGIConnection
from litestar.dto import AbstractDTO, DTOFieldDefinition
from litestar.openapi.spec import OpenAPIType, Operation, Reference, RequestBody, Schema
from litestar.typing import FieldDefinition

from kernel.adapters.http.parsing.faults import NOT_READABLE, refusal, repeats_a_key
from kernel.adapters.http.parsing.words import shown
from kernel.contracts.values import decoder
from kernel.domain.errors import FieldError, Invalid

if TYPE_CHECKING:
    from litestar._openapi.schema_generation import SchemaCreator

T = TypeVar("T")

BODY_BYTES_MAX = 64 * 1024
BATCH_BYTES_MAX = 1024 * 1024
ITEMS_MAX = 200

_BOM = b"\xef\xbb\xbf"


def decode_body(body: bytes, kind: type[T]) -> T:
    """Decodes a body to a `kind`. Raises Invalid, which names the fields at fault, or else `body`.

    An array may have at most ITEMS_MAX items.
    """
    if not body:
        raise Invalid.field("body", "is required")
    try:
        decoded = _decode(body, kind)
    except NOT_READABLE as error:
        # A byte order mark may be ignored (RFC 8259, section 8.1).
        if body.startswith(_BOM) and not body.startswith(_BOM + _BOM):
            return decode_body(body.removeprefix(_BOM), kind)
        raise refusal(body, kind) from error
    if isinstance(decoded, list) and len(decoded) > ITEMS_MAX:
        raise Invalid.field("body", f"must be an array of at most {ITEMS_MAX} items")
    return decoded


def _decode(body: bytes, kind: type[T]) -> T:
    """Decodes a body. Raises one of NOT_READABLE, also if a key comes twice, which msgspec would accept."""
    value = decoder(kind).decode(body)
    if _may_repeat(body, value) and repeats_a_key(body):
        raise msgspec.ValidationError("a key comes twice")
    return value


def _may_repeat(body: bytes, value: object) -> bool:
    """Whether a key might come twice, because the body has more colons than its structs have members.

    Colons in strings count too, so True may be wrong. Counting takes < 1 µs per item, a second decoding 5 µs.
    """
    structs = value if isinstance(value, list) else [value]
    if not structs or not isinstance(structs[0], msgspec.Struct):
        return False
    required_count, optional = _members(type(structs[0]))
    given = [getattr(one, name) is not absent for one in structs for name, absent in optional]
    return body.count(b":") > required_count * len(structs) + sum(given)


@cache
def _members(kind: type[msgspec.Struct]) -> tuple[int, list[tuple[str, object]]]:
    """The number of required fields, and the attribute and default of each optional field."""
    fields = msgspec.structs.fields(kind)
    optional = [(field.name, field.default) for field in fields if not field.required]
    return len(fields) - len(optional), optional


def _require_json(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    if connection.headers.get("content-encoding", "identity").strip().lower() != "identity":
        blame = FieldError("Content-Encoding", "must be identity")
        raise Invalid("the body must not be encoded", blame, code="unsupported_media_type")
    media_type = connection.headers.get("content-type", "application/json").split(";")[0]
    if media_type.strip().lower() != "application/json":
        blame = FieldError("Content-Type", f"must be application/json, not {shown(media_type.strip())}")
        raise Invalid("the body must be JSON", blame, code="unsupported_media_type")


def _kind(connection: ASGIConnection[Any, Any, Any, Any]) -> Any:
    return cast(FieldDefinition, connection.route_handler.parsed_data_field).annotation


class JsonBody(AbstractDTO[T]):
    """Replaces Litestar's parsing of bodies, which reads amounts as floats and names no fields in errors.

    Use it as `dto=JsonBody` if the handler has `data: SomeStruct`.
    """

    @classmethod
    def create_for_field_definition(
        cls, field_definition: FieldDefinition, handler_id: str, backend_cls: Any = None
    ) -> None:
        """Does nothing. Litestar would generate a transfer class here, but `decode_bytes` needs none."""

    @classmethod
    def is_supported_model_type_field(cls, field_definition: FieldDefinition) -> bool:
        """Always False. Litestar asks this about answers only, and JsonAnswer encodes answers."""
        return False

    def decode_bytes(self, value: bytes) -> Any:
        _require_json(self.asgi_connection)
        return decode_body(value, _kind(self.asgi_connection))

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: "SchemaCreator"
    ) -> Reference | Schema:
        schema = schema_creator.for_field_definition(field_definition)
        if isinstance(schema, Schema) and schema.type == OpenAPIType.ARRAY:
            schema.max_items = ITEMS_MAX
        return schema

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Generator[DTOFieldDefinition, None, None]:
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        return False


@dataclass
class WithBodyIfAny(Operation):
    """The `operation_class` of a handler whose body is optional, because its `data` has a default."""

    def __post_init__(self) -> None:
        if isinstance(self.request_body, RequestBody):
            self.request_body.required = False


@dataclass(frozen=True, slots=True)
class Items(Generic[T]):
    """A JSON array whose items are decoded one by one. The result of an item is its struct or its error."""

    items: list[T | Invalid]


def decode_items(body: bytes, kind: type[T]) -> Items[T]:
    """Decodes an array, with an error for each bad item. Raises Invalid if the whole body is at fault."""
    try:
        return Items(_as_few(_decode(body, list[kind])))  # type: ignore[valid-type]  # known at run time
    except NOT_READABLE:
        return Items(
            [_decode_item(bytes(item), kind) for item in _as_few(decode_body(body, list[msgspec.Raw]))]
        )


def _as_few(items: list[T]) -> list[T]:
    """Returns `items` unchanged. Raises Invalid unless there are 1 to ITEMS_MAX items."""
    if not 1 <= len(items) <= ITEMS_MAX:
        raise Invalid.field("body", f"must be an array of 1 to {ITEMS_MAX} items")
    return items


class JsonItems(JsonBody[T]):
    """Parses arrays. Use it as `dto=JsonItems` if the handler has `data: Items[SomeStruct]`."""

    def decode_bytes(self, value: bytes) -> Any:
        _require_json(self.asgi_connection)
        (kind,) = _kind(self.asgi_connection).__args__
        return decode_items(value, kind)

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: "SchemaCreator"
    ) -> Reference | Schema:
        (item,) = field_definition.annotation.__args__
        schema = schema_creator.for_field_definition(FieldDefinition.from_annotation(item))
        examples = getattr(field_definition.kwarg_definition, "examples", None) or []
        return Schema(
            type=OpenAPIType.ARRAY,
            items=schema,
            min_items=1,
            max_items=ITEMS_MAX,
            examples=[e.value for e in examples],
        )


def _decode_item(element: bytes, kind: type[T]) -> T | Invalid:
    try:
        return decode_body(element, kind)
    except Invalid as error:
        return error
