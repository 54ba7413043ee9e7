"""The published bodies and messages as JSON Schema."""

from collections.abc import Iterable
from inspect import cleandoc
from typing import Any

import msgspec

from kernel.contracts.values import Amount, Instant, SignedAmount, UserId
from kernel.domain.ids import USER_ID_PATTERN
from kernel.domain.money import AMOUNT_PATTERN

# AMOUNT_PATTERN without zero.
AMOUNT_TEXT = rf"^(?!0(\.00?)?$){AMOUNT_PATTERN}$"
USER_ID_TEXT = f"^{USER_ID_PATTERN}$"
AMOUNT_MAX = 999_999_999_999.99


def _amount(words: str, pattern: str, **bounds: Any) -> dict[str, Any]:
    return {
        "description": f"Currency units, {words}, at most 12 digits before the point and 2 after it.",
        "oneOf": [
            {"type": "number", **bounds, "maximum": AMOUNT_MAX, "multipleOf": 0.01},
            {"type": "string", "pattern": pattern},
        ],
    }


_SIGNED = {"not": {"const": 0}, "minimum": -AMOUNT_MAX}
_VALUES: dict[type, dict[str, Any]] = {
    Amount: _amount("above 0", AMOUNT_TEXT, exclusiveMinimum=0),
    SignedAmount: _amount("below or above 0", AMOUNT_TEXT.replace("^", "^-?", 1), **_SIGNED),
    UserId: {
        "description": "A user's id; an integer means its decimal string.",
        "oneOf": [
            {"type": "string", "pattern": USER_ID_TEXT},
            {"type": "integer", "minimum": 0},
        ],
    },
    Instant: {"type": "string", "format": "date-time"},
}


def schemas(structs: Iterable[type[msgspec.Struct]]) -> dict[str, Any]:
    """Returns the schemas of these structs and of the structs within them, by name, for `components.schemas`
    of a document."""
    _, components = msgspec.json.schema_components(
        structs, schema_hook=_VALUES.__getitem__, ref_template="#/components/schemas/{name}"
    )
    return {name: _as_published(components[name]) for name in sorted(components)}


def _as_published(schema: Any) -> Any:
    """Changes a schema of msgspec: decimals are numbers, patterns are ECMA-262, and enums have a type."""
    if isinstance(schema, list):
        return [_as_published(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    published = {name: _as_published(part) for name, part in schema.items()}
    if published.get("format") == "decimal":
        published["type"] = "number"
    if "description" in published and isinstance(published["description"], str):
        published["description"] = cleandoc(published["description"])
    if "enum" in published:
        published["type"] = "string"
    if "pattern" in published:
        published["pattern"] = published["pattern"].replace(r"\A", "^").replace(r"\Z", "$")
    return published
