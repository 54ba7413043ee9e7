"""Answers requests that are cancelled because the server stops."""

import asyncio
from contextlib import suppress

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from kernel.adapters.http.middleware.fast_path import send_problem
from kernel.domain.errors import OutcomeUnknown, ShopError, Unavailable


def answer_cut_off(app: ASGIApp) -> ASGIApp:
    """Answers 503 to a cancelled read, 504 to a change. uvicorn's 500 would not say if a retry helps."""

    async def until_cut_off(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] != ScopeType.HTTP:
                raise
            error: ShopError = OutcomeUnknown("the service ended before it had an answer")
            if scope["method"] in ("GET", "HEAD"):
                error = Unavailable("the service is ending")
            with suppress(RuntimeError):  # An answer that has begun cannot be replaced.
                await send_problem(error, scope, send)

    return until_cut_off
