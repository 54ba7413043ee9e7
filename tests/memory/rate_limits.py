import asyncio
from collections import Counter

from kernel.domain.caller import Caller, Role
from kernel.domain.errors import RateLimited


class MemoryRateLimits:
    """Rate limits whose only window never ends: each caller has `quota` calls in total."""

    def __init__(self, quota: int) -> None:
        self._quota = quota
        self._calls: Counter[tuple[str, str]] = Counter()

    async def count(self, caller: Caller, address: str) -> None:
        if caller.service:
            return
        key = ("user", caller.id) if caller.role is not Role.ANYONE else ("address", address)
        self._require(*key)
        self._calls[key] += 1

    async def require_room(self, address: str) -> None:
        self._require("address", address)

    async def is_shared(self) -> bool:
        return True

    async def run(self) -> None:
        await asyncio.Event().wait()

    def _require(self, policy: str, whose: str) -> None:
        if whose and self._calls[policy, whose] >= self._quota:
            raise RateLimited(policy, self._quota, 86_400, retry_after_s=1)
