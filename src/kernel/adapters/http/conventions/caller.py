"""Whose call is answered, as the layer that asked has noted it."""

from contextvars import ContextVar

from kernel.domain.caller import Caller
from kernel.ports.tokens import Verified

CURRENT: ContextVar[Verified] = ContextVar("current_caller")
"""Without a default: a route fails where nobody has asked."""


def calling() -> Caller:
    """Raises LookupError where nobody has asked."""
    return CURRENT.get().caller
