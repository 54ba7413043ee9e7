"""What counts as an answer of another service."""

import aiohttp


async def only_ok(answer: aiohttp.ClientResponse) -> None:
    """For `raise_for_status` of a request that follows no redirects: raises ClientResponseError unless the
    status is 200, because a redirect is no answer either."""
    if answer.status != 200:
        raise aiohttp.ClientResponseError(
            answer.request_info, answer.history, status=answer.status, message=answer.reason or ""
        )
