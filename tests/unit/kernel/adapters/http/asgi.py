"""Calls of an application without a server between."""

from typing import Any


async def answered(app: Any, headers: Any = (), *, receive: Any = None, **scope: Any) -> list[Any]:
    """The messages that the application sends for one call."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    call = {"type": "http", "method": "GET", "path": "/orders", "headers": headers} | scope
    await app(call, receive, send)
    return sent
