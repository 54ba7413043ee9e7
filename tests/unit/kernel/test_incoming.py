"""However bytes are cut, each request gets exactly its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.adapters.http.incoming import Incoming
from kernel.adapters.http.limits import Limits
from kernel.adapters.http.request_head import Refused

CHUNKED = b"POST /c HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
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
        extension = draw(st.sampled_from([b"", b";a", b' ;a="b"']))
        chunks += b"%x%b\r\n%b\r\n" % (size, extension, rest[:size])
        rest = rest[size:]
    trailer = draw(st.sampled_from([b"", b"X: y\r\n"]))
    return CHUNKED + chunks + b"0\r\n" + trailer + b"\r\n", body


def read_all(incoming: Incoming) -> list[bytes]:
    """The bodies of the requests that have come whole."""
    bodies = []
    while True:
        if not incoming.in_body:
            if not incoming.unread or incoming.head() is None:
                return bodies
            bodies.append(b"")
        if incoming.in_body:
            bodies[-1] += incoming.body()
            if incoming.in_body:
                return bodies


@given(st.lists(requests(), max_size=4), st.data())
def test_requests_are_the_same_however_their_bytes_are_cut(
    sent: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(raw for raw, _ in sent)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    incoming, whole, begun = Incoming(Limits()), [], False
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        incoming.unread += stream[start:end]
        bodies = read_all_from(incoming, whole, begun)
        begun = incoming.in_body
        whole = bodies
    assert whole == [body for _, body in sent]
    assert (incoming.in_head, incoming.in_body, incoming.unread) == (False, False, b"")


def read_all_from(incoming: Incoming, bodies: list[bytes], begun: bool) -> list[bytes]:
    """The bodies so far; the last one may have begun."""
    bodies = list(bodies)
    if begun:
        bodies[-1] += incoming.body()
        if incoming.in_body:
            return bodies
    return bodies + read_all(incoming)


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        (b"\r\n", 400), (b"x\r\n", 400),
        (b"-1\r\n", 400), (b"0x5\r\n", 400), (b" 5\r\n", 400), (b"5 \r\n", 400),
        (b"5\nhello\r\n", 400), (b"5\r\nhelloX", 400), (b"5\r\nhello\rX", 400), (b"5\r\nhello\n", 400),
        (b"5\r\nhello5\r\n", 400), (b"123456789\r\n", 400), (b"5;\x00\r\n", 400), (b"5;a\rb\r\n", 400),
        (b"0\r\nX\r\n", 400), (b"0\r\n X: y\r\n", 400), (b"0\r\nX : y\r\n", 400), (b"0\r\n\n", 400),
        (b"1;" + b"a" * 2000, 400), (b"1;" + b"a" * 900 + b"\r\nx\r\n", None),
        ((b"1;" + b"a" * 900 + b"\r\nx\r\n") * 20, 431),
        (b"0\r\n" + (b"X: " + b"y" * 900 + b"\r\n") * 20, 431),
    ],
)  # fmt: skip
def test_chunks_that_are_none_are_refused(chunks: bytes, status: int | None) -> None:
    incoming = Incoming(Limits())
    incoming.unread = CHUNKED + chunks
    assert incoming.head() is not None
    if status is None:
        assert incoming.body() == b"x"
        return
    with pytest.raises(Refused) as refused:
        incoming.body()
    assert refused.value.status == status


def test_a_head_has_at_most_16_kib() -> None:
    def head(size: int) -> bytes:
        start = b"GET / HTTP/1.1\r\nHost: shop\r\nX: "
        return start + b"a" * (size - len(start) - 4) + b"\r\n\r\n"

    incoming = Incoming(Limits())
    incoming.unread = head(16 * 1024)
    assert incoming.head() is not None
    for too_long in (head(16 * 1024 + 1), head(16 * 1024)[:-4] + b"a" * 5, b"A" * (16 * 1024 + 1)):
        incoming = Incoming(Limits())
        incoming.unread = too_long
        with pytest.raises(Refused) as refused:
            incoming.head()
        assert refused.value.status == 431


def test_empty_lines_before_a_request_are_skipped() -> None:
    incoming = Incoming(Limits())
    incoming.unread = b"\r\n\r\nGET / HTTP/1.1\r\nHost: shop\r\n\r\n"
    assert incoming.head() is not None
