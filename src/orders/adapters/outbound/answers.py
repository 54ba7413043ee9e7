"""Checks the status of another service's answer."""

import aiohttp


async def only_ok(answer: aiohttp.ClientResponse) -> None:
    """Raises ClientResponseError unless the status is 200: a redirect is no answer either. Pass this function
    as `raise_for_status` to a request that follows no redirects."""
    if answer.status != 200:
        raise aiohttp.ClientResponseError(
            answer.request_info, answer.history, status=answer.status, message=answer.reason or ""
        )
