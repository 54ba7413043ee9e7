"""Where the body of a request ends: exactly its own bytes are taken, what follows is the next request's."""

import re

from kernel.adapters.http.request_head import Refused

_LINE_BYTES_MAX = 1024
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[\t -~\x80-\xff]*)?")
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*")


class SizedBody:
    def __init__(self, length: int) -> None:
        self._left = length

    def take(self, data: bytes) -> tuple[bytes, bytes | None]:
        """The bytes of the body, and what follows its end; None before the end."""
        if len(data) < self._left:
            self._left -= len(data)
            return data, None
        body, self._left = data[: self._left], 0
        return body, data[len(body) :]


class ChunkedBody:
    """RFC 9112, section 7.1. Extensions and trailers are dropped; all of them together have a limit."""

    def __init__(self, dropped_bytes_max: int) -> None:
        self._droppable = dropped_bytes_max
        self._input = b""
        self._left = 0  # of the chunk, and 2 for the CRLF behind it
        self._trailers = False

    def take(self, data: bytes) -> tuple[bytes, bytes | None]:
        """The bytes of the body, and what follows its end; None before the end. Raises Refused."""
        body: list[bytes] = []
        data, at = self._input + data, 0
        while True:
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._chunk(piece, body)
                if self._left:
                    self._input = b""
                    return b"".join(body), None
            end = data.find(b"\n", at, at + _LINE_BYTES_MAX)
            if end < 0:
                if len(data) - at >= _LINE_BYTES_MAX:
                    raise _bad("a line between the chunks is too long")
                self._input = data[at:]
                return b"".join(body), None
            line, at = data[at : end + 1], end + 1
            if self._is_last(line):
                return b"".join(body), data[at:]

    def _chunk(self, piece: bytes, body: list[bytes]) -> None:
        """`piece` belongs to a chunk and the CRLF behind it, of which `_left` bytes were missing."""
        size = max(0, self._left - 2)
        if size:
            body.append(piece[:size])
        end = piece[size:]
        if end and end != b"\r\n"[2 - min(self._left, 2) :][: len(end)]:
            raise _bad("a chunk is longer than it says")
        self._left -= len(piece)

    def _is_last(self, line: bytes) -> bool:
        if not line.endswith(b"\r\n"):
            raise _bad("a line between the chunks does not end in CRLF")
        line = line[:-2]
        if self._trailers:
            if not line:
                return True
            if not _TRAILER.fullmatch(line):
                raise _bad("a trailer is no header field")
            self._drop(len(line))
            return False
        size = _SIZE_LINE.fullmatch(line)
        if size is None:
            raise _bad("a chunk does not begin with its size")
        self._drop(len(line) - len(size[1]))
        count = int(size[1], 16)
        self._trailers = count == 0
        self._left = count + 2 if count else 0
        return False

    def _drop(self, count: int) -> None:
        self._droppable -= count
        if self._droppable < 0:
            raise Refused(431, "head_too_large", "extensions and trailers of the chunks are too long")


def _bad(detail: str) -> Refused:
    return Refused(400, "invalid_request", detail)
