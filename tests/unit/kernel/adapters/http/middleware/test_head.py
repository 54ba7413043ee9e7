"""HEAD is GET without the body, for what ends by itself and for streams."""

import asyncio
from typing import Any

import pytest

from kernel.adapters.http.middleware.head import answer_head
from tests.unit.kernel.adapters.http.asgi import answered

HEADERS = [(b"content-length", b"3")]


async def asked(app: Any, method: str) -> list[Any]:
    """The answer of the application to a client that waits for the end."""

    async def receive() -> Any:
        await asyncio.sleep(60)

    async with asyncio.timeout(5):
        return await answered(answer_head(app), receive=receive, method=method)


async def text(scope: Any, receive: Any, send: Any) -> None:
    status = 200 if scope["method"] == "GET" else 405
    await send({"type": "http.response.start", "status": status, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"abc", "more_body": False})


async def stream(scope: Any, receive: Any, send: Any) -> None:
    """Goes on until its client leaves."""
    assert (await receive())["type"] == "http.request"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"a", "more_body": True})
    assert (await receive())["type"] == "http.disconnect"


async def test_a_head_has_the_headers_of_the_get_and_no_body() -> None:
    start, body = await asked(text, "HEAD")
    assert (start["status"], start["headers"]) == (200, HEADERS)
    assert (body["body"], body["more_body"]) == (b"", False)


async def test_a_stream_ends_when_its_headers_are_out() -> None:
    start, body = await asked(stream, "HEAD")
    assert start["status"] == 200
    assert (body["body"], body["more_body"]) == (b"", False)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_any_other_method_is_left_alone(method: str) -> None:
    start, body = await asked(text, method)
    assert start["status"] == (200 if method == "GET" else 405)
    assert body["body"] == b"abc"
