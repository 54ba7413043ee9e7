"""The reading side of a connection: gives the parser a complete, checked head, and then exactly its body."""

import asyncio
import re
from typing import Any, cast
from urllib.parse import unquote

from httptools import HttpRequestParser
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT

from kernel.adapters.http.middleware.client_left import CLIENT_LEFT
from kernel.adapters.http.server.answer_writer import AnswerWriter
from kernel.adapters.http.server.cycle import Cycle, Cycle10
from kernel.adapters.http.server.request_head import Refused, check_begun, for_parser, framing, in_origin_form

_EMPTY_LINE = b"\r\n\r\n"
_EMPTY_LINES = re.compile(rb"\A(?:\r\n)+")
_ENCODED_SLASH = re.compile("%2f", re.IGNORECASE)
# The most bytes of a chunk without its data and extensions: a size of eight digits and two CRLF.
_FRAME_BYTES = 12


class RequestReader(AnswerWriter):
    _unread = b""
    _scanned = 0
    """The number of bytes of the head that are already checked."""
    _in_body = False
    _missing_bytes: int | None = 0
    """The number of bytes of the body that have not arrived; None for a body in chunks."""
    _body_bytes = 0
    _frame_bytes = 0
    """The bytes of extensions and trailers: all bytes of chunks, less their data and _FRAME_BYTES each."""
    _last_bytes = b""

    def _read_head(self) -> bool:
        """Begins the request if its head is complete, and returns whether it is complete. Raises Refused."""
        data, limits = self._unread, self.limiter.limits
        if data.startswith(b"\r\n"):  # Some clients send an empty line after a body (RFC 9112, section 2.2).
            data = _EMPTY_LINES.sub(b"", data)
        end = data.find(_EMPTY_LINE, max(0, self._scanned - 3))
        size = len(data) if end < 0 else end + len(_EMPTY_LINE)
        if end < 0:
            check_begun(data[: limits.head_bytes], max(0, self._scanned - 1))
        if size > limits.head_bytes:
            raise Refused(431, "head_too_large", f"a head has at most {limits.head_bytes} bytes")
        if end < 0:
            self._unread, self._scanned = data, size
            return False
        head = for_parser(data[:size], limits.head_fields)
        self._unread, self._scanned, self._in_body = data[size:], 0, True
        self.parser.feed_data(head)
        self._begin()
        return True

    def _begin(self) -> None:
        """Calls the application with the request whose head was parsed. Raises Refused."""
        version = self.parser.get_http_version()
        self._missing_bytes, expects_100 = framing(self.headers, version)
        raw_path, _, query = in_origin_form(self.url, self.headers).partition(b"?")
        path = raw_path.decode("ascii")
        if "%" in path:
            # An encoded slash is data, not a separator (RFC 3986, section 2.2).
            path = "%2F".join(map(unquote, _ENCODED_SLASH.split(path)))
        scope: Any = self.scope
        scope.update(
            http_version=version,
            method=self.parser.get_method().decode("ascii"),
            path=path,
            raw_path=raw_path,
            query_string=query,
            extensions={CLIENT_LEFT: self.client_left.wait},
        )
        self.headers = []  # Collects the trailers, which are ignored.
        self._body_bytes, self._frame_bytes, self._last_bytes = 0, 0, b""
        self.is_answering = True
        kind = Cycle10 if version == "1.0" else Cycle
        self.cycle = kind(
            scope=scope,
            transport=cast(Any, self),
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=expects_100,
            # A client may or may not send a body after `100 Continue`, so the next request could be misread.
            keep_alive=self.keeps_alive and not expects_100 and not self.limiter.draining,
            on_response=self.on_response_complete,
        )
        self.cycle.more_body = self._in_body
        self._start_asgi_task(self.cycle, self.app)

    def _read_body(self) -> None:
        """Gives the parser the bytes of the body that have arrived. Raises Refused."""
        if self._missing_bytes is None:
            self._read_chunks()
            return
        data = self._unread[: self._missing_bytes]
        self._unread = self._unread[len(data) :]
        self._missing_bytes -= len(data)
        self._body_bytes += len(data)
        self.parser.feed_data(data)

    def _read_chunks(self) -> None:
        """A body in chunks ends with an empty line. So the bytes are cut after each empty line, and parsed
        part by part. The parser gets no bytes of the next request, wherever the body ends. Raises Refused."""
        data, at = self._last_bytes + self._unread, len(self._last_bytes)
        while self._in_body and at < len(data):
            found = data.find(_EMPTY_LINE, max(0, at - 3))
            end = len(data) if found < 0 else found + len(_EMPTY_LINE)
            self._frame_bytes += end - at
            self._body_bytes += end - at
            self.parser.feed_data(data[at:end])
            at = end
            # A frame may be shorter than _FRAME_BYTES. The unused bytes of many frames must not allow long
            # trailers. The unused bytes of one frame are kept, because a frame may be cut in two here.
            self._frame_bytes = max(self._frame_bytes, -_FRAME_BYTES)
            if self._frame_bytes > self.limiter.limits.head_bytes:
                raise Refused(431, "head_too_large", "extensions and trailers of the chunks are too long")
        self._last_bytes, self._unread = data[max(0, at - 3) : at], data[at:]
        if not self._in_body:
            self.parser = HttpRequestParser(self)  # The old parser would add trailers to the next head.

    # Called by the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Does not begin the request, because the head is not checked yet."""
        self.keeps_alive = self.parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        self._frame_bytes -= len(body)
        if self.is_answering:
            self.cycle.body += body
            if len(self.cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            self.cycle.message_event.set()

    def on_chunk_header(self) -> None:
        self._frame_bytes -= _FRAME_BYTES

    def on_message_complete(self) -> None:
        self._in_body = False
        if self._missing_bytes is None:
            self._missing_bytes = 0
        if self.is_answering:
            self.cycle.more_body = False
            self.cycle.message_event.set()
