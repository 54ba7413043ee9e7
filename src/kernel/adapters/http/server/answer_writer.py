"""The writing side of a connection. It sends answers in few packets, and closes without losing an answer."""

import asyncio
from math import inf
from typing import Any, cast
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from kernel.adapters.http.conventions.problem import refused_answer
from kernel.adapters.http.server.connection_limiter import ConnectionLimiter
from kernel.adapters.http.server.cycle import Cycle
from kernel.adapters.http.server.request_head import Refused
from kernel.adapters.request_id import HEADER

JOINED_BYTES_MAX = 16 * 1024
JOINED_WRITES_MAX = 4


class AnswerWriter(HttpToolsProtocol):
    """The transport that uvicorn's request cycle sees. It writes to the real transport, and closes it."""

    cycle: Cycle

    def __init__(self, limiter: ConnectionLimiter, **given: Any) -> None:
        super().__init__(**given)
        self.limiter = limiter
        self.client_left = asyncio.Event()
        """Set when the client has closed its side of the connection, or the connection is lost."""
        self.keeps_alive = False
        """Whether the client wants to send another request after the last one."""
        self.is_answering = False
        self.is_ending = False
        """Whether the connection is ending. Further bytes from the client are then ignored."""
        self.due = inf
        """The event loop's time from which the connection is overdue."""
        self._written: list[bytes] = []
        self._untaken_bytes = 0
        self._taken_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self.due = self.loop.time() + self.limiter.limits.head_within_s

    def write(self, data: bytes) -> None:
        """Sends the writes of one turn of the event loop together, because each packet wakes the client."""
        if not self._written:
            self.loop.call_soon(self.flush)
        self._written.append(data)
        # A long answer is sent at once, so that flow control can pause its writing for a slow client.
        if len(data) > JOINED_BYTES_MAX or len(self._written) > JOINED_WRITES_MAX:
            self.flush()

    def flush(self) -> None:
        if self._written:
            if not self.is_closing():
                self.transport.write(b"".join(self._written))
            self._written.clear()

    def is_closing(self) -> bool:
        return self.is_ending or self.transport.is_closing()

    def close(self) -> None:
        """Closes the connection when the last answer is written and the client had time to read that answer.

        If the connection were closed while bytes are unread, the kernel would send a reset, and the client
        could see the reset before the answer.
        """
        if self.is_closing():
            return
        self.flush()
        self.is_ending = True
        if self.client_left.is_set():
            self.transport.close()
        else:
            self.transport.write_eof()
            self.flow.resume_reading()
            self.due = self.loop.time() + self.limiter.limits.linger_s

    def abort(self) -> None:
        self.is_ending = True
        self.transport.abort()

    def shutdown(self) -> None:
        if self.is_answering:
            self.cycle.keep_alive = False
        else:
            self.flush()
            self.transport.close()

    def refuse(self, refused: Refused) -> None:
        """Sends the server's own answer to a refused request, and ends the connection."""
        if self.is_answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not (self.is_answering and self.cycle.response_started):
            answer = refused_answer(refused.status, refused.code, refused.detail)
            headers = {
                "content-type": answer.media_type, "content-length": str(len(answer.body)),
                **answer.headers, HEADER: uuid4().hex, "connection": "close",
            }  # fmt: skip
            lines = [b"%b: %b\r\n" % field for field in self.server_state.default_headers]
            lines += [f"{name.lower()}: {text}\r\n".encode() for name, text in headers.items()]
            self.write(b"".join((STATUS_LINE[answer.status], *lines, b"\r\n", answer.body)))
        self.close()
