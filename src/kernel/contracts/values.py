"""The two values that JSON cannot say exactly enough, and the codec of everything published."""

from collections.abc import Hashable
from functools import cache
from typing import Any, Self, TypeVar, cast

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


class UserId(str):
    """A user's id; a non-negative JSON integer means its decimal string."""

    @classmethod
    def decode(cls, value: object) -> Self:
        if type(value) not in _NAMING:
            raise ValueError("must be a string or a non-negative integer")
        return cls(parse_user_id(str(value)))


# Exactly these: a bool is an int too.
_NUMERIC = frozenset({JsonNumber, int, str})
_NAMING = frozenset({int, str})


def _decode_value(kind: type, value: object) -> object:
    if kind is Amount:
        return Amount.decode(value)
    if kind is UserId:
        return UserId.decode(value)
    raise NotImplementedError(kind)  # By which msgspec knows that the hook has no answer.


def _encode_value(value: object) -> object:
    if isinstance(value, Amount):
        return in_units(value)
    if isinstance(value, UserId):
        return str(value)
    raise NotImplementedError(type(value))  # The same.


encode = msgspec.json.Encoder(decimal_format="number", enc_hook=_encode_value).encode


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Decodes JSON as the published language writes it. Raises msgspec.DecodeError, or ValidationError with
    the path of the culprit; UnicodeDecodeError and RecursionError where the bytes ask for it."""
    return cast(msgspec.json.Decoder[T], _decoder(cast(Hashable, kind)))


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cast(Any, kind), dec_hook=_decode_value, float_hook=JsonNumber)
