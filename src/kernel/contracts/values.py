"""The values that JSON cannot say exactly enough, and the codec of everything published."""

from collections.abc import Hashable
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Self, TypeVar, cast

import msgspec

from kernel.domain.ids import parse_user_id
from kernel.domain.money import in_units, parse_amount

T = TypeVar("T")


class JsonNumber(str):
    """The text of a JSON number that is no integer: never read as a float."""


class Amount(int):
    """Minor units, which JSON shows as currency units with two digits: as a number, or in a string."""

    @property
    def minor(self) -> int:
        return int(self)

    @classmethod
    def decode(cls, value: object) -> Self:
        if type(value) not in _NUMERIC:
            raise ValueError("must be a number")
        return cls(parse_amount(str(value)))


class SignedAmount(Amount):
    """An amount that may be below 0, and is not 0."""

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
    """A time that a client gives, with any offset (RFC 3339), in UTC: equal ones are written alike."""

    @classmethod
    def decode(cls, value: object) -> Self:
        try:
            utc = msgspec.convert(value, _Zoned).astimezone(UTC)
        except (msgspec.ValidationError, OverflowError) as error:  # The year may be 0 or 10000 in UTC.
            raise ValueError("must be a time with its zone, such as 2026-11-22T11:40:18Z") from error
        return cls.combine(utc.date(), utc.timetz())

    @property
    def moment(self) -> datetime:
        """As the codec writes it without a hook."""
        return datetime.combine(self.date(), self.timetz())


_Zoned = Annotated[datetime, msgspec.Meta(tz=True)]
# Exactly these: a bool is an int too.
_NUMERIC = frozenset({JsonNumber, int, str})
_NAMING = frozenset({int, str})


def _decode_value(kind: type, value: object) -> object:
    if kind is Amount:
        return Amount.decode(value)
    if kind is SignedAmount:
        return SignedAmount.decode(value)
    if kind is UserId:
        return UserId.decode(value)
    if kind is Instant:
        return Instant.decode(value)
    raise NotImplementedError(kind)  # By which msgspec knows that the hook has no answer.


def _encode_value(value: object) -> object:
    if isinstance(value, Amount):
        return in_units(value)
    if isinstance(value, UserId):
        return str(value)
    if isinstance(value, Instant):
        return value.moment
    raise NotImplementedError(type(value))  # The same.


encode = msgspec.json.Encoder(decimal_format="number", enc_hook=_encode_value).encode


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Decodes JSON as the published language writes it. Raises msgspec.DecodeError, or ValidationError with
    the path of the culprit; UnicodeDecodeError and RecursionError where the bytes ask for it."""
    return cast(msgspec.json.Decoder[T], _decoder(cast(Hashable, kind)))


def same_fields(value: object, kind: type[T]) -> T:
    """A value of the domain as a published body of the same fields, or the other way round."""
    return msgspec.convert(value, kind, from_attributes=True)


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cast(Any, kind), dec_hook=_decode_value, float_hook=JsonNumber)
