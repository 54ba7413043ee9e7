"""Answers of other services."""

import aiohttp


async def only_ok(answer: aiohttp.ClientResponse) -> None:
    """For `raise_for_status`, without redirects: they would lead to another than was asked, and their body is
    no answer. Raises ClientResponseError."""
    if answer.status != 200:
        raise aiohttp.ClientResponseError(
            answer.request_info, answer.history, status=answer.status, message=answer.reason or ""
        )
