"""The bytes of a client, read as one request after the other: a head, exactly its body, the next head."""

from kernel.adapters.http.limits import Limits
from kernel.adapters.http.request_body import ChunkedBody, SizedBody
from kernel.adapters.http.request_head import Refused, RequestHead, check_begun, read_head

_HEAD_END = b"\r\n\r\n"


class Incoming:
    def __init__(self, limits: Limits) -> None:
        self.unread = b""
        self.in_head = self.in_body = False
        """Whether a head, or the body of the last head, has begun and is not whole."""
        self._limits = limits
        self._scanned = 0
        self._body: SizedBody | ChunkedBody | None = None

    def head(self) -> RequestHead | None:
        """None where it is not whole yet. Raises Refused."""
        unread, limits = self.unread, self._limits
        while unread.startswith(b"\r\n"):  # which some clients send behind a body (RFC 9112, section 2.2)
            unread = unread[2:]
        end = unread.find(_HEAD_END, max(0, self._scanned - 3))
        size = len(unread) if end < 0 else end + len(_HEAD_END)
        if end < 0:
            check_begun(unread[: limits.head_bytes], max(0, self._scanned - 1))
        if size > limits.head_bytes:
            raise Refused(431, "head_too_large", f"a head has at most {limits.head_bytes} bytes")
        if end < 0:
            self.unread, self._scanned, self.in_head = unread, size, size > 0
            return None
        head = read_head(unread[: end + 2], limits.head_fields)
        self.unread, self._scanned, self.in_head = unread[size:], 0, False
        if head.chunked:
            self._body = ChunkedBody(limits.head_bytes)
        elif head.length:
            self._body = SizedBody(head.length)
        self.in_body = self._body is not None
        return head

    def body(self) -> bytes:
        """What has come of the body. Raises Refused."""
        assert self._body is not None
        data, self.unread = self.unread, b""
        body, rest = self._body.take(data)
        if rest is not None:
            self.unread, self._body, self.in_body = rest, None, False
        return body

    def forget(self) -> None:
        self.unread, self._scanned, self._body = b"", 0, None
        self.in_head = self.in_body = False
