"""Describes in plain words the values that a field accepts, and the value that came instead."""

import json
from functools import cache
from typing import Any

from msgspec import inspect

from kernel.contracts.values import Amount, Instant, SignedAmount, UserId, decoder

_SHOWN_MAX = 40  # characters


def must_be(kind: Any, came: str) -> str:
    """A text such as `must be a whole number from 1 to 500, not "many"`. `came` describes the value."""
    return f"must be {takes(kind)}, not {came}"


@cache
def takes(kind: Any) -> str:
    """Describes a type in words, which the `extra` of its Meta may give as `words`."""
    return _words(inspect.type_info(kind))


def shown(value: str) -> str:
    """Describes a text of a path, query or header: the text in quotes, or the length of a long text."""
    return _quoted(json.dumps(value, ensure_ascii=False), value)


def shown_json(value: bytes) -> str:
    """Describes a JSON value: the value as written, or the kind of an object, array or long value."""
    text = value.decode().strip()
    if text[0] in "{[":
        return "an object" if text[0] == "{" else "an array"
    if text[0] == '"':
        return _quoted(text, decoder(str).decode(value))
    return text if len(text) <= _SHOWN_MAX else f"a number of {len(text)} characters"


def _quoted(quoted: str, value: str) -> str:
    return quoted if len(quoted) <= _SHOWN_MAX else f"a text of {len(value)} characters"


def _words(kind: inspect.Type) -> str:
    match kind:
        case inspect.Metadata(extra={"words": str(words)}):
            return words
        case inspect.Metadata():
            return _words(kind.type)
        case inspect.UnionType():
            return " or ".join(_words(part) for part in kind.types)
        case inspect.NoneType():
            return "null"
        case inspect.IntType():
            return "a whole number" + _range(kind.ge, kind.le)
        case inspect.StrType():
            return "a string" + _length(kind.min_length, kind.max_length, "characters")
        case inspect.LiteralType():
            return f"one of {', '.join(map(str, kind.values))}"
        case inspect.CustomType():
            return _PUBLISHED.get(kind.cls, "something else")
        case inspect.ListType():
            return "an array" + _length(kind.min_length, kind.max_length, "items")
    return _WORDS.get(type(kind), "something else")


_TIME = "a time with its zone, such as 2026-11-22T11:40:18Z"
_PUBLISHED: dict[type, str] = {
    Amount: "a decimal number like 49.90",
    SignedAmount: "a decimal number like -49.90",
    UserId: "a string or a non-negative integer",
    Instant: _TIME,
}
_WORDS: dict[type[inspect.Type], str] = {
    inspect.BoolType: "true or false",
    inspect.DateTimeType: _TIME,
    inspect.StructType: "an object",
    inspect.DictType: "an object",
    inspect.UUIDType: "a UUID",
}


def _range(least: float | None, most: float | None) -> str:
    if most is None:
        return "" if least is None else f" of at least {least:.0f}"
    return f" of at most {most}" if least is None else f" from {least} to {most}"


def _length(least: int | None, most: int | None, what: str) -> str:
    if most is None:
        return ""
    return f" of {least} to {most} {what}" if least else f" of at most {most} {what}"
