"""Reads facts about one subject in several places. A reading that fails does not affect the others."""

import asyncio
from collections.abc import Awaitable

from kernel.domain.errors import Unavailable
from kernel.domain.facts import Part, joined


async def read_apart(**readings: Awaitable[Part]) -> Part:
    """Runs the readings concurrently, because each may wait for a lock, and joins their results. `unread`
    names the readings that failed. Raises Unavailable if all fail."""
    found = await asyncio.gather(*readings.values(), return_exceptions=True)
    parts, away = list[Part](), dict[str, Unavailable]()
    for name, outcome in zip(readings, found, strict=True):
        match outcome:
            case Part():
                parts.append(outcome)
            case Unavailable():
                away[name] = outcome
            case error:
                raise error
    if not parts:
        raise next(iter(away.values()))
    return joined([*parts, Part(unread=[f"{name}: {error.detail}" for name, error in away.items()])])
