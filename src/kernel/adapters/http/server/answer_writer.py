"""The writing side of a connection: sends answers in few packets, and closes without losing the last one."""

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
    """Stands between uvicorn's request cycle and the transport: it writes and closes."""

    cycle: Cycle

    def __init__(self, limiter: ConnectionLimiter, **given: Any) -> None:
        super().__init__(**given)
        self.limiter = limiter
        self.client_left = asyncio.Event()
        """Set when the client has closed its side, or the connection is lost."""
        self.keeps_alive = False
        """Whether the client of the last request wants to send another one."""
        self.is_answering = False
        self.is_ending = False
        """Whether further bytes of the client are ignored."""
        self.due = inf
        """When the connection is overdue, by the event loop's time."""
        self._written: list[bytes] = []
        self._untaken_bytes = 0
        self._taken_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self.due = self.loop.time() + self.limiter.limits.head_within_s

    def write(self, data: bytes) -> None:
        """Writes of one turn of the event loop are sent together, because each packet wakes the client."""
        if not self._written:
            self.loop.call_soon(self.flush)
        self._written.append(data)
        # A long answer is written at once, so that flow control can slow it down for a slow client.
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
        """Closes when the last answer is written and the client had time to read it.

        If we closed at once, the kernel would answer bytes that we have not read with a reset, and the client
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
        """Sends the server's own answer, and ends the connection."""
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
