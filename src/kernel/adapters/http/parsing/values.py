"""The published values where they stand in a path or a query."""

from kernel.adapters.http.parsing.words import shown
from kernel.contracts.values import Amount, Instant, UserId
from kernel.domain.errors import Invalid


def amount_of(text: str) -> Amount:
    """Raises Invalid, which names `amount`."""
    try:
        return Amount.decode(text)
    except ValueError as error:
        raise Invalid.field("amount", f"{error}, not {shown(text)}") from error


def user_id_of(text: str) -> UserId:
    """Raises Invalid, which names `userId`."""
    try:
        return UserId.decode(text)
    except ValueError as error:
        raise Invalid.field("userId", f"{error}, not {shown(text)}") from error


def instant_of(text: str, name: str) -> Instant:
    """Raises Invalid, which names the parameter."""
    try:
        return Instant.decode(text)
    except ValueError as error:
        raise Invalid.field(name, f"{error}, not {shown(text)}") from error
