"""The published values where they stand in a path or a query."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from kernel.contracts.values import Amount, UserId
from kernel.domain.errors import Invalid


def amount_of(text: str) -> Amount:
    """Raises Invalid, which names `amount`."""
    try:
        return Amount.decode(text)
    except ValueError as error:
        raise Invalid.field("amount", str(error)) from error


def user_id_of(text: str) -> UserId:
    """Raises Invalid, which names `userId`."""
    try:
        return UserId.decode(text)
    except ValueError as error:
        raise Invalid.field("userId", str(error)) from error


async def plain_query(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard. Raises Invalid, which names a parameter that is given several times, or as `null`, which
    Litestar takes for not given where that is no user's id."""
    for name, values in connection.query_params.dict().items():
        if len(values) > 1:
            raise Invalid.field(name, "must be given once")
        if name != "userId" and "null" in map(str.lower, values):
            raise Invalid.field(name, "must not be null")
