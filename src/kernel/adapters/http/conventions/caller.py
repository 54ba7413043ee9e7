"""The caller of the call that is being answered, as the middleware `identity` found out."""

from contextvars import ContextVar

from kernel.domain.caller import Caller
from kernel.ports.tokens import Verified

CURRENT: ContextVar[Verified] = ContextVar("current_caller")
"""Without a default: a route fails where no middleware has asked who calls."""


def calling() -> Caller:
    """Raises LookupError where no middleware has asked who calls."""
    return CURRENT.get().caller
