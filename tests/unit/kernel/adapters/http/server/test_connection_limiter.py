"""What all connections together may hold, and for how long a client may take its time."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any
from unittest.mock import Mock

import pytest

from kernel.adapters.http.server.connection import Connection
from kernel.adapters.http.server.connection_limiter import ConnectionLimiter
from kernel.adapters.http.server.limits import Limits
from tests.servers.echo import BIG, Echo, echoing
from tests.servers.process import eventually
from tests.servers.raw import Raw, connected, request

SOON_S = 0.2
SHORT: dict[str, Any] = dict.fromkeys(
    ("head_within_s", "body_within_s", "idle_s", "taken_within_s", "linger_s"), SOON_S
)


@pytest.fixture(scope="module")
async def shared_hasty() -> AsyncIterator[Echo]:
    async with echoing(**SHORT) as echo:
        yield echo


@pytest.fixture
def hasty(shared_hasty: Echo) -> Echo:
    """A server with little patience, which has seen nothing yet."""
    shared_hasty.forget()
    return shared_hasty


async def problem(raw: Raw) -> tuple[int, str]:
    answer = await raw.answer()
    assert answer.closes
    assert await raw.rest() == b""
    return answer.status, answer.code


@pytest.mark.parametrize("part", [b"G", b"GET / HTTP/1.1\r\nHost: shop\r\n"])
async def test_a_head_has_to_come_in_time(hasty: Echo, part: bytes) -> None:
    async with connected(hasty.url) as raw:
        await raw.send(part)
        assert await problem(raw) == (408, "request_timeout")
        assert hasty.begun == []


async def test_a_head_that_comes_byte_by_byte_has_no_more_time(hasty: Echo) -> None:
    async def drip(raw: Raw) -> None:
        for byte in request("/" + "a" * 10_000):
            await raw.send(bytes([byte]))
            await asyncio.sleep(SOON_S / 10)

    async with connected(hasty.url) as raw:
        dripping = asyncio.create_task(drip(raw))
        assert await problem(raw) == (408, "request_timeout")
        dripping.cancel()


async def test_the_head_of_a_second_request_has_to_come_in_time_too(hasty: Echo) -> None:
    async with connected(hasty.url) as raw:
        await raw.send(request("/"), b"GET")
        assert (await raw.answer()).status == 200
        assert await problem(raw) == (408, "request_timeout")


async def test_a_body_has_to_come_in_time(hasty: Echo) -> None:
    async with connected(hasty.url) as raw:
        await raw.send(request("/", "Content-Length: 9", method="POST") + b"half")
        assert await problem(raw) == (408, "request_timeout")
        assert (hasty.bodies, hasty.left) == ([], ["/"])


async def test_time_runs_for_the_client_and_not_for_the_application(hasty: Echo) -> None:
    async with connected(hasty.url) as raw:
        await raw.send(request("/slow", method="POST", body=b"x"))
        async with connected(hasty.url) as other:
            assert await other.rest() == b""  # so that all those times have passed
        hasty.allowed.set()
        assert (await raw.answer()).status == 200


@pytest.mark.parametrize("asked", [b"", request("/")])
async def test_an_idle_client_is_dropped_without_a_word(hasty: Echo, asked: bytes) -> None:
    async with connected(hasty.url) as raw:
        await raw.send(asked)
        if asked:
            await raw.answer()
        assert await raw.rest() == b""


async def test_a_client_that_takes_nothing_of_an_answer_is_dropped(hasty: Echo) -> None:
    async with connected(hasty.url) as raw:
        await raw.send(request("/big"))
        await eventually(lambda: hasty.begun)
        await eventually(lambda: not hasty.connections)
        assert len(await raw.rest()) < BIG


async def test_a_client_that_takes_an_answer_slowly_gets_it_whole(hasty: Echo) -> None:
    async with connected(hasty.url) as raw:
        await raw.send(request("/big", "Connection: close"))
        taken = 0
        while part := await raw.some():
            taken += len(part)
            if taken % 7 == 0:
                await asyncio.sleep(SOON_S / 10)
        assert taken > BIG


async def test_a_client_that_still_sends_after_the_last_answer_is_not_reset(echo: Echo, raw: Raw) -> None:
    await raw.send(b"nonsense\r\n\r\n")
    assert await problem(raw) == (400, "invalid_request")
    for _ in range(20):
        await raw.send(b"x" * 10_000)


async def test_a_client_that_does_not_close_after_the_last_answer_is_closed(hasty: Echo) -> None:
    async with connected(hasty.url) as raw:
        await raw.send(request("/", "Connection: close"))
        assert (await raw.answer()).closes
        assert hasty.connections
        await eventually(lambda: not hasty.connections)


async def asks(other: Raw) -> bool:
    await other.send(request("/"))
    return (await other.answer()).status == 200


async def test_more_connections_than_allowed_are_refused_until_others_end() -> None:
    async with echoing(connections=2) as echo, connected(echo.url) as first, connected(echo.url) as second:
        assert await asks(first)
        assert await asks(second)
        async with connected(echo.url) as third:
            await third.send(request("/"))
            answer = await third.answer()
            assert (answer.status, answer.code, answer.closes) == (503, "overloaded", True)
            assert int(answer.headers["retry-after"]) > 0
        assert await asks(first)
        first.leave()

        async def let_in() -> bool:
            async with connected(echo.url) as another:
                return await asks(another)

        await eventually(let_in)


@pytest.mark.parametrize("uncapped", [False, True])
async def test_an_address_has_a_limit_of_its_own_unless_it_is_trusted(uncapped: bool) -> None:
    async with AsyncExitStack() as stack:
        echo = await stack.enter_async_context(
            echoing(connections_per_address=2, uncapped=lambda address: uncapped and address == "127.0.0.1")
        )
        clients = [await stack.enter_async_context(connected(echo.url)) for _ in range(3)]
        for client in clients:
            await client.send(request("/"))
        statuses = [(await client.answer()).status for client in clients]
        assert statuses == [200, 200, 200 if uncapped else 503]


async def test_unfinished_requests_hold_no_more_than_allowed_and_the_largest_gives_way() -> None:
    """Small requests pass, however much others have begun."""
    async with AsyncExitStack() as stack:
        echo = await stack.enter_async_context(echoing(held_bytes=300_000))
        large = [await stack.enter_async_context(connected(echo.url)) for _ in range(8)]
        for client in large:
            await client.send(request("/", "Content-Length: 900000", method="POST") + b"x" * 50_000)
        await eventually(lambda: len(echo.left) == 2)
        small = await stack.enter_async_context(connected(echo.url))
        await small.send(request("/", method="POST", body=b"small"))
        assert (await small.answer()).body == b"small"
        await eventually(lambda: len(echo.left) == 3)
        assert [await problem(client) for client in large[:3]] == [(503, "overloaded")] * 3


async def test_bytes_behind_a_request_that_is_being_answered_give_way_to_small_requests() -> None:
    async with AsyncExitStack() as stack:
        echo = await stack.enter_async_context(echoing(held_bytes=300_000))
        greedy = [await stack.enter_async_context(connected(echo.url)) for _ in range(6)]
        for client in greedy:
            await client.send(request("/slow") + request("/more", "X: " + "x" * 1000) * 150)
        await eventually(lambda: echo.begun == ["GET /slow"] * 6)
        small = await stack.enter_async_context(connected(echo.url))
        whole = request("/", method="POST", body=b"small")
        await small.send(whole[:-2])
        await eventually(lambda: "POST /" in echo.begun)
        await small.send(whole[-2:])
        assert (await small.answer()).body == b"small"
        echo.allowed.set()
        answers = [await client.answer() for client in greedy]
        assert [answer.status for answer in answers] == [200] * 6
        ended = [client for client, answer in zip(greedy, answers, strict=True) if answer.closes]
        assert len(ended) >= 3
        assert [await client.rest() for client in ended] == [b""] * len(ended)


@contextmanager
def descriptors(most: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_new_connections_are_refused_where_descriptors_run_out_and_one_line_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with AsyncExitStack() as stack:
        echo = await stack.enter_async_context(echoing())
        first = await stack.enter_async_context(connected(echo.url))
        with descriptors(len(os.listdir("/proc/self/fd")) + 104):
            # Each takes two. How many are free is not known, so the first refusal is looked for.
            code = ""
            while not code:
                client = await stack.enter_async_context(connected(echo.url))
                await client.send(request("/"))
                answer = await client.answer()
                code = "" if answer.status == 200 else answer.code
            assert code == "overloaded"
            assert await asks(first)
        lines = [line for line in caplog.records if "file descriptors" in line.getMessage()]
        assert len(lines) == 1


async def test_connections_that_are_refused_leave_descriptors_for_databases() -> None:
    """They stay for a moment, to be told why, but not where too few would be left."""
    async with AsyncExitStack() as stack:
        echo = await stack.enter_async_context(echoing(head_within_s=60.0))
        with descriptors(len(os.listdir("/proc/self/fd")) + 104):
            # Each takes two while it stays: 52 would be all.
            clients = [await stack.enter_async_context(connected(echo.url)) for _ in range(46)]
            assert await clients[-1].rest() == b""


def test_the_connections_of_an_address_of_ipv6_are_those_of_its_64() -> None:
    limiter = ConnectionLimiter(Limits(connections_per_address=1))
    one, other, third = (Mock(spec=Connection) for _ in range(3))
    assert limiter.admit(one, "2001:db8:0:1::1", 7) is None
    assert limiter.admit(other, "2001:db8:0:1:2::2", 8) == "there are too many connections from this address"
    assert limiter.admit(third, "2001:db8:0:2::1", 9) is None
    limiter.leave(one)
    assert limiter.admit(other, "2001:db8:0:1:2::2", 8) is None
