"""Lets a waiting route notice that its client has left."""

import asyncio
from collections.abc import Awaitable, Callable

from litestar.types import Scope

CLIENT_LEFT = "shop.client_left"  # The key of the scope's extension.


def client_left(scope: Scope) -> Callable[[], Awaitable[None]]:
    """An async function that returns when the client has closed its side of the connection."""
    found = (scope.get("extensions") or {}).get(CLIENT_LEFT)
    return found if found is not None else _never  # type: ignore[return-value]  # an extension is any object


async def _never() -> None:
    await asyncio.Event().wait()
