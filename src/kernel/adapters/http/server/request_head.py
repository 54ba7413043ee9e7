"""Checks of a request's head that httptools does not make, or makes differently.

If a proxy and the server disagree on where a request ends, a request can be smuggled past the proxy. So a
head that RFC 9112 does not allow is refused, never repaired.
"""

import re

Headers = list[tuple[bytes, bytes]]

# Metrics have the method as a label, so clients must not be able to invent methods.
_METHODS = rb"GET|HEAD|POST|PUT|DELETE|OPTIONS|TRACE|PATCH|QUERY|PROPFIND"
_REQUEST_LINE = re.compile(
    rb"(?:%b) (?:/[!\"$-~]*|[Hh][Tt]{2}[Pp][!\"$-~]+|(?<=OPTIONS )\*) HTTP/1\.[01]\r\n" % _METHODS
)
# An `Upgrade` that is not a valid header field does not match, and the parser refuses it.
_UPGRADE = re.compile(rb"(?<=\n)upgrade:[\t -~\x80-\xff]*\r\n", re.IGNORECASE)
_ABSOLUTE = re.compile(rb"https?://([^/?@]+)((?:[/?].*)?)", re.IGNORECASE)
_HOST = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.~!$&'()*+,;=%:[]-"
_LENGTH_DIGITS_MAX = 15
# A control character, or a line that does not end in CRLF, is an error whatever follows in the head.
_BROKEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?=[^\n])")
_ONCE = (b"host", b"content-length", b"transfer-encoding")


class Refused(Exception):
    """A request that the server itself answers with an error. The connection ends with that answer."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


def bad(detail: str) -> Refused:
    return Refused(400, "invalid_request", detail)


def check_begun(data: bytes, since: int) -> None:
    """Raises Refused if `data` cannot be the beginning of a valid head. The bytes before `since` are already
    checked."""
    if _BROKEN.search(data, since):
        raise bad("the head holds a control character or a line that does not end in CRLF")


def for_parser(head: bytes, fields_max: int) -> bytes:
    """Checks a complete head, and returns it without `Upgrade`. Raises Refused.

    A server may ignore `Upgrade` (RFC 9110, section 7.8). The parser would treat the bytes after it as
    another protocol, and lose the body.
    """
    if not _REQUEST_LINE.match(head):
        raise bad("the first line is not a request of HTTP/1.1 or HTTP/1.0 with a method known here")
    if head.count(b"\n") - 2 > fields_max:
        raise Refused(431, "head_too_large", f"a head has at most {fields_max} fields")
    return _UPGRADE.sub(b"", head) if b"\nupgrade:" in head.lower() else head


def framing(headers: Headers, version: str) -> tuple[int | None, bool]:
    """Returns the length of the body, or None for a body in chunks, and whether the client waits for
    `100 Continue` before it sends the body. Raises Refused."""
    found = dict(headers)
    if len(found) < len(headers):
        names = [name for name, _ in headers]
        for name in _ONCE:
            if names.count(name) > 1:
                raise bad(f"the header {name.decode().title()} must be given once")
    host = found.get(b"host")
    if (host is None and version == "1.1") or (host and host.translate(None, _HOST)):
        raise bad("the header Host must name the host")
    expects_100 = b"expect" in found and found[b"expect"].lower() == b"100-continue" and version == "1.1"
    length = found.get(b"content-length")
    if b"transfer-encoding" in found:
        if length is not None:
            raise bad("a body has a Content-Length or a Transfer-Encoding, not both")
        if version == "1.0":
            raise bad("HTTP/1.0 has no Transfer-Encoding")
        if found[b"transfer-encoding"].lower() != b"chunked":
            raise bad("the only transfer coding known here is chunked")
        return None, expects_100
    if length is None:
        return 0, expects_100
    if not length.isdigit() or len(length) > _LENGTH_DIGITS_MAX:
        raise bad("the header Content-Length must be a number")
    return int(length), expects_100


def in_origin_form(target: bytes, headers: Headers) -> bytes:
    """Returns the path and query of the target. If the target is absolute, its host replaces the header Host
    in `headers` (RFC 9112, section 3.2.2). Raises Refused."""
    if target.startswith(b"/"):
        return target
    if target == b"*":
        return b"/"
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or absolute[1].translate(None, _HOST):
        raise bad("the request target is neither a path nor an http URL")
    host, rest = absolute.groups()
    headers[:] = [(b"host", host), *(field for field in headers if field[0] != b"host")]
    return rest if rest.startswith(b"/") else b"/" + rest
