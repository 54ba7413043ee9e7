"""Tells routes that answer late when their client has left."""

import asyncio
from collections.abc import Awaitable, Callable

from litestar.types import Scope

LEFT = "shop.left"


def left_of(scope: Scope) -> Callable[[], Awaitable[None]]:
    """A function to await, which returns when the client has closed its side of the connection."""
    found = (scope.get("extensions") or {}).get(LEFT)
    return found if found is not None else never  # type: ignore[return-value]  # an extension is any object


async def never() -> None:
    await asyncio.Event().wait()
