"""The bearer token of a call. Nothing here looks into it, so open mode loads no library for tokens."""

from collections.abc import Mapping
from contextvars import ContextVar

CURRENT = ContextVar("current_bearer", default="")
"""The token of the call that is being answered; calls to services on its behalf pass it on."""

# Of a service that answers 401 to the token of another one.
NOT_BELIEVED = "does not believe who calls: SHOP_AUTH and SHOP_SERVICE_KEY have to be the same at both"


def authorization(token: str) -> Mapping[str, str]:
    """The header that carries the token; no header for the empty token of open mode."""
    return {"Authorization": f"Bearer {token}"} if token else {}
