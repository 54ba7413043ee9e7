"""Reads about one subject in several places; one reading that fails does not spoil the others."""

import asyncio
from collections.abc import Awaitable

from kernel.domain.errors import Unavailable
from kernel.domain.facts import Part, joined


async def read_apart(**readings: Awaitable[Part]) -> Part:
    """Joins what the readings found; `unread` names the readings that failed. They run concurrently, because
    each may wait for a lock. Raises Unavailable if all fail."""
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
