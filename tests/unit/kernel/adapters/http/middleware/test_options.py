"""OPTIONS tells every method of a path, whatever their order, and nothing of what is not there."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar import Litestar, get, post

from kernel.adapters.http.conventions.problem import exception_handlers
from kernel.adapters.http.middleware.options import answer_options


@get("/things", sync_to_thread=False)
def things() -> str:
    return "things"


@post("/things", sync_to_thread=False)
def add() -> str:
    return "added"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app: Any = answer_options(
        Litestar(
            [things, add], openapi_config=None, exception_handlers=exception_handlers(), logging_config=None
        )
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client:
        yield client


async def test_options_lists_the_methods_of_all_handlers(client: httpx.AsyncClient) -> None:
    answer = await client.options("/things")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


async def test_options_of_what_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.options("/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 201), ("PUT", 405)])
async def test_other_methods_are_left_alone(client: httpx.AsyncClient, method: str, status: int) -> None:
    answer = await client.request(method, "/things")
    assert answer.status_code == status
    assert answer.content
