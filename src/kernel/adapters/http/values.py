"""The published values where they stand in a path or a query."""

from typing import Any

from litestar import Request

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


def require_once(request: Request[Any, Any, Any], name: str) -> None:
    """Raises Invalid, which names the parameter, where the query gives it several times."""
    if len(request.query_params.getall(name, [])) > 1:
        raise Invalid.field(name, "must be given once")
