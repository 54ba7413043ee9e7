"""Parses the contracts' value types from texts of a path or a query."""

from typing import TypeVar

from kernel.adapters.http.parsing.words import shown
from kernel.contracts.values import Amount, Instant, UserId
from kernel.domain.errors import Invalid

V = TypeVar("V", Amount, UserId, Instant)


def amount_of(text: str) -> Amount:
    """Parses an amount. Raises Invalid, which names `amount`."""
    return _value(Amount, text, "amount")


def user_id_of(text: str) -> UserId:
    """Parses a user id. Raises Invalid, which names `userId`."""
    return _value(UserId, text, "userId")


def instant_of(text: str, name: str) -> Instant:
    """Parses a time. Raises Invalid, which names the parameter `name`."""
    return _value(Instant, text, name)


def _value(kind: type[V], text: str, name: str) -> V:
    try:
        return kind.decode(text)
    except ValueError as error:
        raise Invalid.field(name, f"{error}, not {shown(text)}") from error
