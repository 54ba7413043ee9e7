import asyncio

import aiohttp
import pytest

from kernel.adapters.http.server import server
from kernel.adapters.http.server.server import HttpServer, listen
from tests.servers.ports import free_port
from tests.servers.process import eventually


@pytest.mark.parametrize(
    ("method", "status", "code"), [("GET", 503, "unavailable"), ("POST", 504, "outcome_unknown")]
)
async def test_a_call_that_takes_longer_than_an_ending_server_waits_is_told_what_that_means(
    method: str, status: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        if scope["type"] != "http":
            raise NotImplementedError
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(server, "LULL_S", 0.05)
    monkeypatch.setattr(server, "GRACE_S", 1)
    asked, stop, port = asyncio.Event(), asyncio.Event(), free_port()
    with listen("127.0.0.1", port) as listener:
        http = HttpServer(app, listener)
        serving = asyncio.create_task(http.run_until(stop))
        await eventually(lambda: http.started, every=0.01)
        async with aiohttp.ClientSession() as session:
            asking = asyncio.create_task(session.request(method, f"http://127.0.0.1:{port}/orders"))
            await asked.wait()
            stop.set()
            answer = await asking
            problem = await answer.json(content_type="application/problem+json")
        await serving
    assert (answer.status, problem["code"], problem["instance"]) == (status, code, "/orders")
    assert ("Retry-After" in answer.headers) == (status == 503)
