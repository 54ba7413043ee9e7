"""A connection: one request at a time, exactly the bytes of its own, and limits on all that may grow."""

import gc
import logging
from weakref import ref

import pytest

from kernel.adapters.http.server.limits import Limits
from tests.servers.echo import BIG, Echo, echoing
from tests.servers.process import eventually
from tests.servers.raw import Raw, connected, request

SMUGGLED = request("/smuggled")


def test_the_limits_are_those_that_are_promised() -> None:
    limits = Limits()
    assert (limits.head_bytes, limits.head_fields) == (16 * 1024, 100)
    assert (limits.head_within_s, limits.body_within_s) == (10, 30)
    assert (limits.connections, limits.connections_per_address) == (10_000, None)


async def test_each_pipelined_request_is_answered_in_order_with_its_own_body(echo: Echo, raw: Raw) -> None:
    bodies = [b"%d" % number for number in range(50)]
    await raw.send(b"".join(request("/", method="POST", body=body) for body in bodies))
    assert [(await raw.answer()).body for _ in bodies] == bodies


async def test_the_next_request_begins_after_the_answer(echo: Echo, raw: Raw) -> None:
    await raw.send(request("/slow") + request("/next"))
    await eventually(lambda: echo.begun == ["GET /slow"])
    echo.allowed.set()
    await raw.answer()
    await raw.answer()
    assert echo.begun == ["GET /slow", "GET /next"]


async def test_the_next_request_does_not_begin_before_the_answer_is_taken(echo: Echo, raw: Raw) -> None:
    await raw.send(request("/big") * 3)
    await eventually(lambda: echo.begun == ["GET /big"])
    async with connected(echo.url) as other:  # by which everything else would have gone on
        for _ in range(20):
            await other.send(request("/other"))
            await other.answer()
    assert echo.begun.count("GET /big") == 1
    for _ in range(3):
        assert len((await raw.answer()).body) == BIG
    assert echo.begun.count("GET /big") == 3


async def test_many_small_chunks_earn_no_room_for_long_trailers(echo: Echo, raw: Raw) -> None:
    chunks = b"1\r\nx\r\n" * 10_000
    await raw.send(request("/", "Transfer-Encoding: chunked", method="POST") + chunks)
    await raw.send(b"0\r\n" + b"X: y\r\n" * 5000 + b"\r\n")
    assert (await raw.answer()).status == 431
    assert echo.bodies == []


@pytest.mark.parametrize("parts", [[b"1\r\nx\r\n"], [b"1\r\nx", b"\r\n"], [b"1", b"\r\n", b"x\r", b"\n"]])
async def test_a_body_may_come_in_any_number_of_small_chunks_and_segments(
    echo: Echo, raw: Raw, parts: list[bytes]
) -> None:
    """Each of them frames more than the largest head."""
    connection = next(iter(echo.connections))
    connection.data_received(request("/", "Transfer-Encoding: chunked", method="POST"))
    for part in parts * 10_000:
        connection.data_received(part)
    await raw.send(b"0\r\n\r\n")
    assert (await raw.answer()).body == b"x" * 10_000


async def test_a_body_that_is_expected_is_asked_for(raw: Raw) -> None:
    head = request("/", "Expect: 100-continue", "Content-Length: 5", method="POST")
    await raw.send(head)
    assert (await raw.answer()).status == 100
    await raw.send(b"hello")
    answer = await raw.answer()
    assert (answer.body, answer.closes) == (b"hello", False)


async def test_a_connection_ends_where_an_expected_body_was_not_asked_for(echo: Echo, raw: Raw) -> None:
    await raw.send(request("/early", "Expect: 100-continue", "Content-Length: 50", method="POST"))
    answer = await raw.answer()
    assert (answer.body, answer.closes) == (b"early", True)
    await raw.send(SMUGGLED)
    assert await raw.rest() == b""
    assert echo.begun == ["POST /early"]


async def test_the_rest_of_a_body_after_the_answer_is_dropped(echo: Echo, raw: Raw) -> None:
    await raw.send(request("/early", "Content-Length: 300000", method="POST") + b"x" * 100)
    assert (await raw.answer()).body == b"early"
    await raw.send(b"x" * 299_900 + request("/next"))
    await raw.answer()
    assert echo.begun == ["POST /early", "GET /next"]


@pytest.mark.parametrize(
    ("option", "closes"), [("", True), ("Connection: keep-alive", False), ("Connection: close", True)]
)
async def test_http_1_0_keeps_the_connection_where_it_is_asked_to(
    raw: Raw, option: str, closes: bool
) -> None:
    await raw.send(request("/", *filter(None, [option]), version="1.0"))
    answer = await raw.answer()
    assert answer.headers["connection"] == ("close" if closes else "keep-alive")
    if closes:
        assert await raw.rest() == b""
    else:
        await raw.send(request("/", option, version="1.0"))
        assert (await raw.answer()).status == 200


@pytest.mark.parametrize("last", [request(version="1.0"), request("/", "Connection: close")])
async def test_bytes_behind_the_last_request_do_not_keep_its_answer_away(
    echo: Echo, raw: Raw, last: bytes
) -> None:
    await raw.send(last + request("/next") * 1000)
    answer = await raw.answer()
    assert (answer.status, answer.closes) == (200, True)
    assert await raw.rest() == b""
    assert echo.begun == ["GET /"]


async def test_head_is_answered_without_a_body(raw: Raw) -> None:
    await raw.send(request("/big", method="HEAD") + request("/"))
    assert (await raw.answer(to_head=True)).headers["content-length"] == str(BIG)
    assert (await raw.answer()).body == b""


async def test_a_client_that_sends_no_more_gets_the_answers_to_all_its_requests(echo: Echo, raw: Raw) -> None:
    await raw.send(request("/slow") + request("/big"))
    raw.send_no_more()
    await eventually(lambda: echo.begun == ["GET /slow"])
    echo.allowed.set()
    assert (await raw.answer()).status == 200
    assert len((await raw.answer()).body) == BIG
    assert await raw.rest() == b""


async def test_an_endless_answer_ends_when_its_client_sends_no_more(echo: Echo, raw: Raw) -> None:
    await raw.send(request("/stream"))
    raw.send_no_more()
    assert (await raw.answer()).body == b"one last"
    assert await raw.rest() == b""


async def test_an_answer_that_is_just_written_as_the_server_ends_is_not_lost(echo: Echo, raw: Raw) -> None:
    (connection,) = echo.connections
    connection.write(b"last")
    connection.shutdown()
    assert await raw.rest() == b"last"


@pytest.mark.parametrize("part", [b"GET / HT", request("/", "Content-Length: 9", method="POST") + b"half"])
async def test_half_a_request_is_no_request(echo: Echo, raw: Raw, part: bytes) -> None:
    await raw.send(part)
    raw.send_no_more()
    answer = await raw.answer()
    assert (answer.status, answer.code, answer.closes) == (400, "invalid_request", True)
    assert echo.bodies == []


async def test_a_client_that_leaves_in_mid_body_has_asked_for_nothing(
    echo: Echo, raw: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    await raw.send(request("/", "Content-Length: 9", method="POST") + b"half")
    await eventually(lambda: echo.begun)
    raw.leave()
    await eventually(lambda: echo.left == ["/"])
    assert echo.bodies == []
    assert [line for line in caplog.records if line.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400, "invalid_request"),
        (b"GET / HTTP/1.1\nHost: shop\n\n", 400, "invalid_request"),
        (b"\x16\x03\x01\x02\x00", 400, "invalid_request"),
        (request().replace(b"1.1", b"2.0"), 400, "invalid_request"),
        (request(method="FOO"), 400, "invalid_request"),
        (request("/" + "a" * 17_000), 431, "head_too_large"),
        (b"A" * 17_000, 431, "head_too_large"),
        (request("/", *["X: y"] * 100), 431, "head_too_large"),
        (request("/", "Transfer-Encoding: chunked", method="POST") + b"x\r\n", 400, "invalid_request"),
    ],
)
async def test_a_refusal_is_a_problem_and_ends_the_connection(
    raw: Raw, sent: bytes, status: int, code: str
) -> None:
    await raw.send(sent)
    await raw.send(b"x" * 1_000_000)  # which must not keep the client from its answer
    answer = await raw.answer()
    assert (answer.status, answer.code, answer.closes) == (status, code, True)
    assert answer.headers["date"]
    assert await raw.rest() == b""


async def test_a_crash_is_a_problem_and_the_connection_goes_on(raw: Raw) -> None:
    await raw.send(request("/crash") + request("/"))
    answer = await raw.answer()
    assert (answer.status, answer.code) == (500, "internal_error")
    assert (await raw.answer()).status == 200


async def test_path_and_client_are_told(echo: Echo, raw: Raw) -> None:
    await raw.send(request("http://other/a%20b%2Fc%2fd?e=%20"))
    await raw.answer()
    (scope,) = echo.scopes
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == (
        "/a b%2Fc%2Fd", b"/a%20b%2Fc%2fd", b"e=%20",
    )  # fmt: skip
    assert scope["client"][0] == scope["server"][0] == "127.0.0.1"


@pytest.mark.parametrize("path", ["/", "/slow", "/stream", "/big", "/early"])
async def test_a_lost_connection_is_freed_without_the_garbage_collector(path: str) -> None:
    async with echoing() as echo, connected(echo.url) as raw:
        gc.disable()
        try:
            await raw.send(request(path))
            await eventually(lambda: echo.begun == [f"GET {path}"])
            (connection,) = map(ref, echo.connections)
            raw.leave()
            echo.allowed.set()
            await eventually(lambda: connection() is None)
        finally:
            gc.enable()
