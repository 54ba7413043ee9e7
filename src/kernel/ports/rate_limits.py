from typing import Protocol

from kernel.domain.caller import Caller


class RateLimits(Protocol):
    """How often somebody may call. An address is "" where it has no limit."""

    async def count(self, caller: Caller, address: str) -> None:
        """One more call: of a user, or of an address where nobody knows who calls. Calls of services are not
        counted.

        Raises RateLimited.
        """
        ...

    async def require_room(self, address: str) -> None:
        """Raises RateLimited where a call of somebody unknown, from this address, would be one too many."""
        ...

    async def is_shared(self) -> bool:
        """Whether all replicas count together, as far as they should."""
        ...

    async def run(self) -> None:
        """What has to be done beside the calls. Never returns."""
        ...
