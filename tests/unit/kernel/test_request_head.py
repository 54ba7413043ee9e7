"""Heads of requests are read as RFC 9112 has them, and what it does not allow is refused."""

import pytest

from kernel.adapters.http.limits import Limits
from kernel.adapters.http.request_head import Refused, RequestHead, check_begun, read_head

FIELDS_MAX = Limits().head_fields


def read(*lines: str) -> RequestHead:
    return read_head("".join(f"{line}\r\n" for line in lines).encode("latin-1"), FIELDS_MAX)


def refused(*lines: str) -> int:
    with pytest.raises(Refused) as error:
        read(*lines)
    assert error.value.detail
    return error.value.status


def test_a_head_is_read() -> None:
    head = read("POST /a%20b?c=d HTTP/1.1", "HOST: shop:5003", "Content-Length:7 ", "X-Empty:")
    assert (head.method, head.raw_path, head.query, head.version) == ("POST", b"/a%20b", b"c=d", "1.1")
    assert head.headers == [(b"host", b"shop:5003"), (b"content-length", b"7"), (b"x-empty", b"")]
    assert (head.length, head.chunked, head.keep_alive, head.expects_continue) == (7, False, True, False)


@pytest.mark.parametrize(
    "line",
    [
        "", "GET", "GET /", "GET  / HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 ", "GET / http/1.1",
        "GET / HTTP/1", "GET / HTTP/11.1", "GET / HTP/1.1", "GET /\x00 HTTP/1.1", "GET /a b HTTP/1.1",
        "GET /\xe9 HTTP/1.1", "GET\t/ HTTP/1.1", "G(T / HTTP/1.1", "GET /a#b HTTP/1.1", "GET shop HTTP/1.1",
        "GET * HTTP/1.1", "GET http:// HTTP/1.1", "GET http://a@shop/ HTTP/1.1", "GET ftp://shop/ HTTP/1.1",
    ],
)  # fmt: skip
def test_what_is_no_request_line_is_refused(line: str) -> None:
    assert refused(line, "Host: shop") == 400


@pytest.mark.parametrize("version", ["0.9", "1.2", "2.0", "3.0"])
def test_other_versions_are_not_spoken(version: str) -> None:
    assert refused(f"GET / HTTP/{version}", "Host: shop") == 400


@pytest.mark.parametrize("method", ["FOO", "get", "CONNECT", "PRI"])
def test_other_methods_are_not_known(method: str) -> None:
    assert refused(f"{method} / HTTP/1.1", "Host: shop") == 400


@pytest.mark.parametrize(
    "line",
    [
        "X", "X : 1", " X: 1", "\tX: 1", ": 1", "X Y: 1", "X\x00: 1", "X: \x00", "X: a\x0bb", "X: \x7f",
        "X: a\rb", "X: a\nY: b", "X\xe9: 1", "\n", "X@Y: 1",
    ],
)  # fmt: skip
def test_what_is_no_header_field_is_refused(line: str) -> None:
    assert refused("GET / HTTP/1.1", "Host: shop", line) == 400
    assert refused("GET / HTTP/1.1", line, "Host: shop") == 400


@pytest.mark.parametrize(
    "fields",
    [
        [], ["Host: shop", "Host: shop"], ["Host: shop", "host: other"], ["Host: a b"], ["Host: shop/"],
        ["Host: shop@other"], ["Host: shop, other"],
    ],
)  # fmt: skip
def test_http_1_1_has_exactly_one_host(fields: list[str]) -> None:
    assert refused("GET / HTTP/1.1", *fields) == 400


def test_http_1_0_may_have_none_and_never_two() -> None:
    assert read("GET / HTTP/1.0").keep_alive is False
    assert refused("GET / HTTP/1.0", "Host: shop", "Host: shop") == 400


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
def test_a_body_has_one_length_or_comes_in_chunks(fields: list[str]) -> None:
    assert refused("POST / HTTP/1.1", "Host: shop", *fields) == 400


def test_http_1_0_knows_no_chunks() -> None:
    assert refused("POST / HTTP/1.0", "Transfer-Encoding: chunked") == 400


def test_a_body_in_chunks_is_known_in_any_case() -> None:
    assert read("POST / HTTP/1.1", "Host: shop", "Transfer-Encoding: CHUNKED").chunked


@pytest.mark.parametrize(
    ("version", "option", "keeps"),
    [
        ("1.1", "", True), ("1.1", "close", False), ("1.1", "Close, te", False), ("1.1", "upgrade", True),
        ("1.0", "", False), ("1.0", "keep-alive", True), ("1.0", "te, Keep-Alive", True),
        ("1.0", "close", False),
    ],
)  # fmt: skip
def test_a_connection_is_kept_as_its_version_and_its_options_say(
    version: str, option: str, keeps: bool
) -> None:
    assert read(f"GET / HTTP/{version}", "Host: shop", f"Connection: {option}").keep_alive is keeps


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        ("http://other/a?b", b"/a", b"b", b"other"),
        ("HTTP://other:80", b"/", b"", b"other:80"),
        ("https://other?b", b"/", b"b", b"other"),
        ("//a//b?", b"//a//b", b"", b"shop"),
    ],
)
def test_the_absolute_form_names_path_and_host(target: str, path: bytes, query: bytes, host: bytes) -> None:
    head = read(f"GET {target} HTTP/1.1", "Host: shop")
    assert (head.raw_path, head.query, head.headers) == (path, query, [(b"host", host)])


def test_options_may_ask_for_the_server() -> None:
    assert read("OPTIONS * HTTP/1.1", "Host: shop").raw_path == b"/"


def test_a_head_has_at_most_100_fields() -> None:
    fields = [f"X-{number}: 1" for number in range(99)]
    assert len(read("GET / HTTP/1.1", "Host: shop", *fields).headers) == 100
    assert refused("GET / HTTP/1.1", "Host: shop", *fields, "X: 1") == 431


@pytest.mark.parametrize(
    "begun", [b"GET / HTTP/1.1\n", b"\x16\x03\x01", b"GET / HTTP/1.1\r\nHost: a\n\n", b"\rG"]
)
def test_what_cannot_become_a_head_is_refused_before_it_ends(begun: bytes) -> None:
    with pytest.raises(Refused):
        check_begun(begun, 0)


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r", b"GET / HTTP/1.1\r\nX: a\r\n", b"\xff"])
def test_what_may_become_a_head_is_waited_for(begun: bytes) -> None:
    check_begun(begun, 0)
