"""Heads of requests are read as RFC 9112 has them, and what it does not allow is refused."""

from dataclasses import dataclass

import pytest

from kernel.adapters.http.server.request_head import Refused, check_begun
from tests.servers.echo import Echo
from tests.servers.raw import Raw, RawAnswer, connected

Fields = list[tuple[bytes, bytes]]


@dataclass
class Asker:
    echo: Echo
    raw: Raw

    async def ask(self, *lines: str, body: bytes = b"") -> RawAnswer:
        await self.raw.send("".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1") + body)
        return await self.raw.answer()

    async def scope(self, *lines: str) -> tuple[str, bytes, bytes, Fields]:
        """Method, path, query and headers, as the application is told."""
        assert (await self.ask(*lines)).status == 200
        (scope,) = self.echo.scopes
        return scope["method"], scope["raw_path"], scope["query_string"], scope["headers"]

    async def refused(self, *lines: str) -> int:
        """The status; the application was told nothing."""
        answer = await self.ask(*lines)
        assert answer.code
        assert answer.closes
        assert self.echo.begun == []
        return answer.status


@pytest.fixture
def asker(echo: Echo, raw: Raw) -> Asker:
    return Asker(echo, raw)


async def test_a_head_is_read(asker: Asker) -> None:
    answer = await asker.ask(
        "POST /a%20b?c=d HTTP/1.1",
        "HOST: shop:5003",
        "Content-Length:7 \t",
        "X-Empty:",
        "X-Empty: ",
        body=b"x" * 7,
    )
    assert (answer.body, answer.closes) == (b"x" * 7, False)
    (scope,) = asker.echo.scopes
    assert (scope["method"], scope["raw_path"], scope["query_string"]) == ("POST", b"/a%20b", b"c=d")
    assert scope["headers"] == [
        (b"host", b"shop:5003"), (b"content-length", b"7"), (b"x-empty", b""), (b"x-empty", b""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "", "GET", "GET /", "GET  / HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 ", "GET / http/1.1",
        "GET / HTTP/1", "GET / HTTP/11.1", "GET / HTP/1.1", "GET /\x00 HTTP/1.1", "GET /a b HTTP/1.1",
        "GET /\xe9 HTTP/1.1", "GET\t/ HTTP/1.1", "G(T / HTTP/1.1", "GET /a#b HTTP/1.1", "GET shop HTTP/1.1",
        "GET * HTTP/1.1", "GET http:// HTTP/1.1", "GET http://a@shop/ HTTP/1.1", "GET ftp://shop/ HTTP/1.1",
    ],
)  # fmt: skip
async def test_a_malformed_request_line_is_refused(asker: Asker, line: str) -> None:
    assert await asker.refused(line, "Host: shop") == 400


@pytest.mark.parametrize("version", ["0.9", "1.2", "2.0", "3.0"])
async def test_other_versions_are_not_spoken(asker: Asker, version: str) -> None:
    assert await asker.refused(f"GET / HTTP/{version}", "Host: shop") == 400


@pytest.mark.parametrize("method", ["FOO", "get", "CONNECT", "PRI"])
async def test_other_methods_are_not_known(asker: Asker, method: str) -> None:
    assert await asker.refused(f"{method} / HTTP/1.1", "Host: shop") == 400


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    "line",
    [
        "X", "X : 1", " X: 1", "\tX: 1", ": 1", "X Y: 1", "X\x00: 1", "X: \x00", "X: a\x0bb", "X: \x7f",
        "X: a\rb", "X: a\nY: b", "X\xe9: 1", "\n", "X@Y: 1",
        "Upgrade : h2c", "Upgrade: a\x0bb", "Upgrade: a\nX: b", "Upgrade: a\rb", "Upgrade: h2c\r\n x",
        "Upgrade",
    ],
)  # fmt: skip
async def test_a_malformed_header_field_is_refused(asker: Asker, line: str, first: bool) -> None:
    fields = [line, "Host: shop"] if first else ["Host: shop", line]
    assert await asker.refused("GET / HTTP/1.1", *fields) == 400


@pytest.mark.parametrize(
    "fields",
    [
        [], ["Host: shop", "Host: shop"], ["Host: shop", "host: other"], ["Host: a b"], ["Host: shop/"],
        ["Host: shop@other"], ["Host: shop, other"],
    ],
)  # fmt: skip
async def test_http_1_1_has_exactly_one_host(asker: Asker, fields: list[str]) -> None:
    assert await asker.refused("GET / HTTP/1.1", *fields) == 400


async def test_http_1_0_may_have_none_and_never_two(asker: Asker, echo: Echo) -> None:
    assert (await asker.ask("GET / HTTP/1.0")).closes
    echo.forget()
    async with connected(echo.url) as raw:
        assert await Asker(echo, raw).refused("GET / HTTP/1.0", "Host: shop", "Host: shop") == 400


@pytest.mark.parametrize(
    "fields",
    [
        ["Content-Length: 1", "Content-Length: 1"],
        ["Content-Length: 1", "Content-Length: 2"],
        ["Content-Length: 1, 1"],
        ["Content-Length: -1"],
        ["Content-Length: +1"],
        ["Content-Length: 0x1"],
        ["Content-Length: 1_0"],
        ["Content-Length: \xb2"],
        ["Content-Length:"],
        ["Content-Length: 9999999999999999"],
        ["Content-Length: 1", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: chunked, chunked"],
        ["Transfer-Encoding: identity"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding:"],
    ],
)
async def test_a_body_has_one_length_or_comes_in_chunks(asker: Asker, fields: list[str]) -> None:
    assert await asker.refused("POST / HTTP/1.1", "Host: shop", *fields) == 400


async def test_http_1_0_knows_no_chunks(asker: Asker) -> None:
    assert await asker.refused("POST / HTTP/1.0", "Transfer-Encoding: chunked") == 400


async def test_a_body_in_chunks_is_known_in_any_case(asker: Asker) -> None:
    lines = ("POST / HTTP/1.1", "Host: shop", "Transfer-Encoding: CHUNKED")
    assert (await asker.ask(*lines, body=b"1\r\nx\r\n0\r\n\r\n")).body == b"x"


@pytest.mark.parametrize(
    ("version", "option", "keeps"),
    [
        ("1.1", "", True), ("1.1", "close", False), ("1.1", "Close, te", False), ("1.1", "upgrade", True),
        ("1.0", "", False), ("1.0", "keep-alive", True), ("1.0", "te, Keep-Alive", True),
        ("1.0", "close", False),
    ],
)  # fmt: skip
async def test_a_connection_is_kept_as_its_version_and_its_options_say(
    asker: Asker, version: str, option: str, keeps: bool
) -> None:
    answer = await asker.ask(f"GET / HTTP/{version}", "Host: shop", f"Connection: {option}")
    assert answer.closes is not keeps


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        ("http://other/a?b", b"/a", b"b", b"other"),
        ("HTTP://other:80", b"/", b"", b"other:80"),
        ("https://other?b", b"/", b"b", b"other"),
        ("//a//b?", b"//a//b", b"", b"shop"),
    ],
)
async def test_the_absolute_form_names_path_and_host(
    asker: Asker, target: str, path: bytes, query: bytes, host: bytes
) -> None:
    scope = await asker.scope(f"GET {target} HTTP/1.1", "Host: shop")
    assert scope == ("GET", path, query, [(b"host", host)])


async def test_options_may_ask_for_the_server(asker: Asker) -> None:
    assert (await asker.ask("OPTIONS * HTTP/1.1", "Host: shop")).status in (200, 204)


async def test_a_head_has_at_most_100_fields(asker: Asker, echo: Echo) -> None:
    fields = [f"X-{number}: 1" for number in range(99)]
    assert len((await asker.scope("GET / HTTP/1.1", "Host: shop", *fields))[3]) == 100
    echo.forget()
    assert await asker.refused("GET / HTTP/1.1", "Host: shop", *fields, "X: 1") == 431


@pytest.mark.parametrize(
    "begun", [b"GET / HTTP/1.1\n", b"\x16\x03\x01", b"GET / HTTP/1.1\r\nHost: a\n\n", b"\rG"]
)
def test_bytes_that_cannot_become_a_head_are_refused_before_it_ends(begun: bytes) -> None:
    with pytest.raises(Refused):
        check_begun(begun, 0)


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r", b"GET / HTTP/1.1\r\nX: a\r\n", b"\xff"])
def test_bytes_that_may_become_a_head_are_waited_for(begun: bytes) -> None:
    check_begun(begun, 0)
