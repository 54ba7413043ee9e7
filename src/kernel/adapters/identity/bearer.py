"""The bearer token of the current call, undecoded, so that open mode need not import the token library."""

from collections.abc import Mapping
from contextvars import ContextVar

CURRENT = ContextVar("current_bearer", default="")
"""The token of the call that is being answered, or an empty text. The gateway sends it on to services."""

# A text for the log, if a service answers 401 to the token of another service.
NOT_BELIEVED = (
    "does not accept the token of its caller: SHOP_AUTH and SHOP_SERVICE_KEY have to be the same at both"
)


def authorization(token: str) -> Mapping[str, str]:
    """The header Authorization with this token; no header for an empty token, as in open mode."""
    return {"Authorization": f"Bearer {token}"} if token else {}
