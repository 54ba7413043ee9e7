"""However bytes are cut, each request gets exactly its own."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.servers.echo import Echo
from tests.servers.raw import Raw, connected, request

CHUNKED = request("/c", "Transfer-Encoding: chunked", method="POST")
EXTENSIONS = [b"", b";a", b';a="b"']
TRAILERS = [
    b"",
    b"X: y\r\n",
    b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
    b"Connection: close\r\n",
    b"Host: other\r\n",
]
BODIES = st.binary(max_size=60) | st.just(b"GET /smuggled HTTP/1.1\r\nHost: shop\r\n\r\n")


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """The bytes of a request, and its body."""
    body = draw(BODIES)
    if draw(st.booleans()):
        upgrade = draw(st.sampled_from([b"", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"]))
        return b"POST /s HTTP/1.1\r\n%bHost: shop\r\nContent-Length: %d\r\n\r\n%b" % (
            upgrade, len(body), body,
        ), body  # fmt: skip
    chunks, rest = b"", body
    while rest:
        size = draw(st.integers(1, len(rest)))
        extension = draw(st.sampled_from(EXTENSIONS))
        chunks += b"%x%b\r\n%b\r\n" % (size, extension, rest[:size])
        rest = rest[size:]
    trailer = draw(st.sampled_from(TRAILERS))
    return CHUNKED + chunks + b"0\r\n" + trailer + b"\r\n", body


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(requests(), max_size=4), st.data())
async def test_requests_are_the_same_however_their_bytes_are_cut(
    shared_echo: Echo, sent: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(raw for raw, _ in sent)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    shared_echo.forget()
    async with connected(shared_echo.url) as raw:
        await raw.send(
            *(stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True))
        )
        assert [(await raw.answer()).body for _ in sent] == [body for _, body in sent]
        raw.send_no_more()
        assert await raw.rest() == b""
    assert shared_echo.bodies == [body for _, body in sent]


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        (b"\r\n", 400), (b"x\r\n", 400),
        (b"-1\r\n", 400), (b"0x5\r\n", 400), (b" 5\r\n", 400), (b"5 \r\n", 400),
        (b"5\nhello\r\n", 400), (b"5\r\nhelloX", 400), (b"5\r\nhello\rX", 400), (b"5\r\nhello\n", 400),
        (b"5\r\nhello5\r\n", 400), (b"f" * 17 + b"\r\n", 400), (b"5;\x00\r\n", 400), (b"5;a\rb\r\n", 400),
        (b"0\r\nX\r\n", 400), (b"0\r\n X: y\r\n", 400), (b"0\r\nX : y\r\n", 400), (b"0\r\n\n", 400),
        (b"0\r\nContent-Length: 5\r\n\r\n", 400), (b"0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"0\r\nX: y\r\n z\r\n\r\n", 400), (b"0\r\nX: y\x00\r\n\r\n", 400),
        (b"1;" + b"a" * 20_000, 431),
        ((b"1;" + b"a" * 900 + b"\r\nx\r\n") * 20, 431),
        (b"0\r\n" + (b"X: " + b"y" * 900 + b"\r\n") * 20, 431),
        (b"0\r\n" + b"X" * 20_000, 431),
    ],
)  # fmt: skip
async def test_chunks_that_are_none_are_refused(echo: Echo, raw: Raw, chunks: bytes, status: int) -> None:
    await raw.send(CHUNKED + chunks)
    answer = await raw.answer()
    assert answer.code
    assert (answer.status, answer.closes) == (status, True)
    assert echo.bodies == []


async def test_extensions_may_be_long_and_chunks_many(raw: Raw) -> None:
    await raw.send(CHUNKED + b"1;" + b"a" * 900 + b"\r\nx\r\n" + b"1\r\ny\r\n" * 9999 + b"0\r\n\r\n")
    assert (await raw.answer()).body == b"x" + b"y" * 9999


async def test_trailers_are_no_headers(echo: Echo, raw: Raw) -> None:
    await raw.send(CHUNKED + b"0\r\nX: y\r\nHost: other\r\n\r\n")
    await raw.answer()
    assert echo.scopes[0]["headers"] == [(b"host", b"shop"), (b"transfer-encoding", b"chunked")]


async def test_a_head_has_at_most_16_kib(echo: Echo, raw: Raw) -> None:
    def head(size: int) -> bytes:
        return request("/", "X: " + "a" * (size - len(request("/", "X: "))))

    await raw.send(head(16 * 1024))
    assert (await raw.answer()).status == 200
    for too_long in (head(16 * 1024 + 1), head(16 * 1024)[:-4] + b"a" * 5, b"A" * (16 * 1024 + 1)):
        async with connected(echo.url) as other:
            await other.send(too_long)
            assert (await other.answer()).status == 431


async def test_empty_lines_before_a_request_are_skipped(raw: Raw) -> None:
    for count in (1, 2, 100_000):
        await raw.send(b"\r\n" * count + request())
        assert (await raw.answer()).status == 200
