"""The head of a request, read strictly by the grammar of RFC 9112.

Requests are smuggled past a proxy where it and the server disagree on where a request ends. So nothing is
repaired here: a head that the grammar does not allow is refused.
"""

import re

from kernel.domain.value import value

Headers = list[tuple[bytes, bytes]]

_TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TEXT = bytes([9, *range(32, 127), *range(128, 256)])
_VISIBLE = re.compile(rb"[!-~]+")
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_ABSOLUTE = re.compile(rb"https?://(?P<host>[^/?@]+)(?P<rest>(?:[/?].*)?)", re.IGNORECASE)
_HOST = re.compile(rb"[\w.~!$&'()*+,;=%:\[\]-]*", re.ASCII)
_LENGTH = re.compile(rb"[0-9]{1,15}")
# What no part of a head that follows can mend: a control character, or a line that does not end in CRLF.
_BROKEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?=[^\n])")

# Methods are labels of the metrics, so a client must not be able to invent more of them.
_METHODS = {
    name.encode(): name
    for name in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "QUERY", "PROPFIND")
}
_ONCE = (b"host", b"content-length", b"transfer-encoding")


class Refused(Exception):
    """A request that is answered by the server itself; the connection ends with that answer."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


@value
class RequestHead:
    method: str
    raw_path: bytes
    query: bytes
    version: str
    headers: Headers
    length: int
    """Of the body; 0 where there is none, and where it comes in chunks."""
    chunked: bool
    expects_continue: bool
    keep_alive: bool


def check_begun(data: bytes, since: int) -> None:
    """Raises Refused where a head that begins like this, unlooked at from `since`, can be none."""
    if _BROKEN.search(data, since):
        raise _bad("the head holds a control character or a line that does not end in CRLF")


def read_head(head: bytes, fields_max: int) -> RequestHead:
    """`head` ends with the CRLF of its last field. Raises Refused."""
    lines = head.split(b"\r\n")
    if head.translate(None, _TEXT) != b"\r\n" * (len(lines) - 1):
        raise _bad("the head holds a control character or a line that does not end in CRLF")
    method, target, version = _request_line(lines[0])
    if len(lines) - 2 > fields_max:
        raise Refused(431, "head_too_large", f"a head has at most {fields_max} fields")
    headers = []
    names = b""
    for line in lines[1:-1]:
        name, colon, text = line.partition(b":")
        if not (name and colon):
            raise _bad("a line of the head is no header field")
        names += name
        headers.append((name.lower(), text.strip(b" \t")))
    if names.translate(None, _TOKEN):
        raise _bad("the name of a header field holds what no name may hold")
    found = dict(headers)
    if len(found) < len(headers):
        _refuse_doubles(headers)
    host = found.get(b"host")
    if (host is None and version == b"1.1") or (host and not _HOST.fullmatch(host)):
        raise _bad("the header Host must name the host")
    raw_path, query = _origin(method, target, headers)
    length, chunked = _framing(found, version)
    return RequestHead(
        method,
        raw_path,
        query,
        version.decode(),
        headers,
        length,
        chunked,
        version == b"1.1" and found.get(b"expect", b"").lower() == b"100-continue",
        _keeps_alive(found.get(b"connection"), version),
    )


def _request_line(line: bytes) -> tuple[str, bytes, bytes]:
    """Method, target and version."""
    name, _, rest = line.partition(b" ")
    target, _, protocol = rest.partition(b" ")
    if not _VERSION.fullmatch(protocol) or not _VISIBLE.fullmatch(target) or name.translate(None, _TOKEN):
        raise _bad("the first line is no request line")
    version = protocol[5:]
    if version not in (b"1.1", b"1.0"):
        raise _bad("only HTTP/1.1 and HTTP/1.0 are spoken here")
    method = _METHODS.get(name)
    if method is None:
        raise _bad("the method is not known here")
    return method, target, version


def _bad(detail: str) -> Refused:
    return Refused(400, "invalid_request", detail)


def _refuse_doubles(headers: Headers) -> None:
    names = [name for name, _ in headers]
    for name in _ONCE:
        if names.count(name) > 1:
            raise _bad(f"the header {name.decode().title()} must be given once")


def _origin(method: str, target: bytes, headers: Headers) -> tuple[bytes, bytes]:
    """Path and query. The host of an absolute form replaces the header (RFC 9112, section 3.2.2)."""
    if b"#" in target:
        raise _bad("the request target must not hold a fragment")
    if not target.startswith(b"/"):
        if target == b"*" and method == "OPTIONS":
            return b"/", b""
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None or not _HOST.fullmatch(absolute["host"]):
            raise _bad("the request target is neither a path nor an http URL")
        headers[:] = [(b"host", absolute["host"]), *(field for field in headers if field[0] != b"host")]
        target = absolute["rest"]
        if not target.startswith(b"/"):
            target = b"/" + target
    path, _, query = target.partition(b"?")
    return path, query


def _framing(found: dict[bytes, bytes], version: bytes) -> tuple[int, bool]:
    """The length of the body, and whether it comes in chunks."""
    length, coding = found.get(b"content-length"), found.get(b"transfer-encoding")
    if coding is None:
        if length is None:
            return 0, False
        if not _LENGTH.fullmatch(length):
            raise _bad("the header Content-Length must be a number")
        return int(length), False
    if length is not None:
        raise _bad("a body has a Content-Length or a Transfer-Encoding, not both")
    if version == b"1.0":
        raise _bad("HTTP/1.0 has no Transfer-Encoding")
    if coding.lower() != b"chunked":
        raise _bad("the only transfer coding that is known here is chunked")
    return 0, True


def _keeps_alive(connection: bytes | None, version: bytes) -> bool:
    if connection is None:
        return version == b"1.1"
    options = {option.strip() for option in connection.lower().split(b",")}
    return b"close" not in options and (version == b"1.1" or b"keep-alive" in options)
