"""The caller of the current call, which the middleware `identity` sets."""

from contextvars import ContextVar

from kernel.domain.caller import Caller
from kernel.ports.tokens import Verified

CURRENT: ContextVar[Verified] = ContextVar("current_caller")
"""The verified caller. It has no default, so that a route fails if the middleware is missing."""


def calling() -> Caller:
    """Raises LookupError if no middleware has set the caller."""
    return CURRENT.get().caller
