"""Several readings of one subject, of which one that fails takes nothing from the others."""

import asyncio
from collections.abc import Awaitable

from kernel.domain.errors import Unavailable
from kernel.domain.facts import Part, joined


async def read_apart(**readings: Awaitable[Part]) -> Part:
    """What could be read, and what could not, by the names of the readings.

    All are under way at once: each may wait for a lock. Raises Unavailable where none succeeds.
    """
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
