"""Answers requests that are cancelled because the server stops."""

import asyncio
from contextlib import suppress

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from kernel.adapters.http.conventions.problem import error_answer, instance_of
from kernel.adapters.http.middleware.fast_path import send_answer
from kernel.domain.errors import OutcomeUnknown, ShopError, Unavailable


def answer_cut_off(app: ASGIApp) -> ASGIApp:
    """Nothing else cancels a request. uvicorn would answer 500, which does not say whether a retry helps."""

    async def until_cut_off(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] != ScopeType.HTTP:
                raise
            with suppress(RuntimeError):  # An answer that has begun cannot be replaced.
                await _answer(scope["method"], instance_of(scope), send)

    return until_cut_off


async def _answer(method: str, instance: str, send: Send) -> None:
    error: ShopError = OutcomeUnknown("the service ended before it had an answer")
    if method in ("GET", "HEAD"):
        error = Unavailable("the service is ending")
    await send_answer(error_answer(error, instance), send)
