from typing import Protocol

from kernel.domain.caller import Caller


class RateLimits(Protocol):
    """Limits how often a user or an address may call. The empty address has no limit."""

    async def count(self, caller: Caller, address: str) -> None:
        """Counts one call for the user, or for the address if the caller is unknown. Calls of services are
        not counted. Raises RateLimited."""

    async def require_room(self, address: str) -> None:
        """Raises RateLimited if one more call of an unknown caller from this address would be too many."""

    async def is_shared(self) -> bool:
        """Returns False if the replicas should count calls together but cannot."""

    async def run(self) -> None:
        """Does the background work of the limits. Never returns."""
