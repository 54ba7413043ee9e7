"""The bearer token of a call. It is not decoded here, so that open mode need not import the token library."""

from collections.abc import Mapping
from contextvars import ContextVar

CURRENT = ContextVar("current_bearer", default="")
"""The token of the call that is being answered. Calls to other services on its behalf carry it too."""

# For the log, when a service answers 401 to another service's token.
NOT_BELIEVED = (
    "does not accept the token of its caller: SHOP_AUTH and SHOP_SERVICE_KEY have to be the same at both"
)


def authorization(token: str) -> Mapping[str, str]:
    """The header that carries the token; no header for the empty token of open mode."""
    return {"Authorization": f"Bearer {token}"} if token else {}
