"""Values for which JSON has no exact type, and the JSON codec of all bodies and messages."""

from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Self, TypeVar, cast

import msgspec

from kernel.domain.ids import parse_user_id
from kernel.domain.money import in_units, parse_amount

T = TypeVar("T")


class JsonNumber(str):
    """The text of a JSON number that is not an integer. It is never converted to a float."""


class Amount(int):
    """Minor units. JSON has currency units: read from a number or a string, written with two digits."""

    @property
    def minor(self) -> int:
        return int(self)

    @classmethod
    def decode(cls, value: object) -> Self:
        if type(value) not in _NUMERIC:
            raise ValueError("must be a number")
        return cls(parse_amount(str(value)))


class SignedAmount(Amount):
    """An amount that may be negative, but not 0."""

    @classmethod
    def decode(cls, value: object) -> Self:
        if type(value) not in _NUMERIC:
            raise ValueError("must be a number")
        text = str(value)
        sign = -1 if text.startswith("-") else 1
        return cls(sign * parse_amount(text.removeprefix("-")))


class UserId(str):
    """A user's id; a non-negative JSON integer means its decimal string."""

    @classmethod
    def decode(cls, value: object) -> Self:
        if type(value) not in _NAMING:
            raise ValueError("must be a string or a non-negative integer")
        return cls(parse_user_id(str(value)))


class Instant(datetime):
    """A time from a client (RFC 3339, any offset), in UTC, so that equal times are written alike."""

    @classmethod
    def decode(cls, value: object) -> Self:
        try:
            utc = msgspec.convert(value, _Zoned).astimezone(UTC)
        except (msgspec.ValidationError, OverflowError) as error:  # The year may be 0 or 10000 in UTC.
            raise ValueError("must be a time with its zone, such as 2026-11-22T11:40:18Z") from error
        return cls.combine(utc.date(), utc.timetz())

    @property
    def moment(self) -> datetime:
        """Returns the same time as a plain datetime, which the codec writes without a hook."""
        return datetime.combine(self.date(), self.timetz())


_Zoned = Annotated[datetime, msgspec.Meta(tz=True)]
# Exact types, because a bool is an int, too.
_NUMERIC = frozenset({JsonNumber, int, str})
_NAMING = frozenset({int, str})
_DECODE: Mapping[type, Callable[[object], object]] = {
    kind: kind.decode for kind in (Amount, SignedAmount, UserId, Instant)
}


def _decode_value(kind: type, value: object) -> object:
    if (decode := _DECODE.get(kind)) is None:
        raise NotImplementedError(kind)  # msgspec takes this as: the hook does not know the type.
    return decode(value)


def _encode_value(value: object) -> object:
    if isinstance(value, Amount):
        return in_units(value)
    if isinstance(value, UserId):
        return str(value)
    if isinstance(value, Instant):
        return value.moment
    raise NotImplementedError(type(value))


encode = msgspec.json.Encoder(decimal_format="number", enc_hook=_encode_value).encode


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Returns a decoder of published JSON. The decoder raises msgspec.DecodeError, or ValidationError with
    the path of the wrong field; UnicodeDecodeError for invalid UTF-8; RecursionError for deep nesting."""
    return cast(msgspec.json.Decoder[T], _decoder(cast(Hashable, kind)))


def same_fields(value: object, kind: type[T]) -> T:
    """Converts the value to a type with the same fields, such as the published body of a domain value."""
    return msgspec.convert(value, kind, from_attributes=True)


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cast(Any, kind), dec_hook=_decode_value, float_hook=JsonNumber)
