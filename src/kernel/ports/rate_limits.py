from typing import Protocol

from kernel.domain.caller import Caller


class RateLimits(Protocol):
    """Limits how often a user or an address may call. The empty address has no limit."""

    async def count(self, caller: Caller, address: str) -> None:
        """Count one more call: of the user, or of the address where the caller is unknown. Calls of services
        are not counted.

        Raises RateLimited.
        """
        ...

    async def require_room(self, address: str) -> None:
        """Raises RateLimited where one more call of an unknown caller from this address would be too many."""
        ...

    async def is_shared(self) -> bool:
        """Whether all replicas count together, or need not."""
        ...

    async def run(self) -> None:
        """The work in the background. Never returns."""
        ...
