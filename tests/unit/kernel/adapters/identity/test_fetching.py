"""What a provider sends in several pieces is one answer."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kernel.adapters.identity.fetching import whole_text


async def test_an_answer_in_pieces_is_read_whole_and_a_longer_one_refused() -> None:
    async def in_pieces(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for piece in (b"one ", b"two ", b"three"):
            await answer.write(piece)
            await asyncio.sleep(0.01)
        return answer

    app = web.Application()
    app.router.add_get("/", in_pieces)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        async with session.get(server.make_url("/")) as answer:
            assert await whole_text(answer, 13) == b"one two three"
        async with session.get(server.make_url("/")) as answer:
            with pytest.raises(ValueError, match="more than 12 bytes"):
                await whole_text(answer, 12)
