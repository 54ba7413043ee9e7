"""One request and its answer, as ASGI has them."""

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from litestar.types import ASGIApp, Scope

from kernel.adapters.http.problem import error_answer
from kernel.adapters.http.request_head import RequestHead
from kernel.adapters.http.response_head import STATUS_LINES, fields_of
from kernel.ports.answer import Answer

if TYPE_CHECKING:
    from kernel.adapters.http.connection import Connection

# What the application has not taken of a body; beyond that the client has to wait.
UNTAKEN_BYTES_MAX = 64 * 1024

_GONE = {"type": "http.disconnect"}
_WITHOUT_BODY = frozenset({204, 304})

logger = logging.getLogger(__name__)


class Exchange:
    """The request is told as it comes; the answer is written as it is made."""

    def __init__(self, connection: "Connection", head: RequestHead, *, whole: bool) -> None:
        self.keep_alive = head.keep_alive
        self.started = False
        self.complete = False
        self.body_bytes = 0
        self._connection = connection
        self._head = head
        self._expects_continue = head.expects_continue
        self._whole = whole
        self._told = False
        self._body: list[bytes] = []
        self._untaken_bytes = 0
        self._lost = False
        self._half_closed = False
        self._changed = asyncio.Event()
        self._without_body = False
        self._chunked = False
        self._left: int | None = None
        """Bytes of the answer's body that are still to come; None where its length is not told before."""

    # What the connection tells.

    def take_body(self, data: bytes, *, whole: bool) -> None:
        if data:
            self._body.append(data)
            self.body_bytes += len(data)
            self._untaken_bytes += len(data)
        self._whole = whole
        self._changed.set()

    @property
    def is_full(self) -> bool:
        """Whether the client has to wait until the application has taken what there is of the body."""
        return self._untaken_bytes > UNTAKEN_BYTES_MAX and not self.complete

    def lose(self) -> None:
        """Nobody receives the answer any more."""
        self._lost = True
        self._changed.set()

    def half_close(self) -> None:
        """The client sends no more, and may have left: it gets its answer, unless that has no end."""
        self._half_closed = True
        self._changed.set()

    # What the application calls.

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        error: BaseException | None = None
        try:
            await app(scope, self.receive, self.send)  # type: ignore[arg-type]
        except BaseException as raised:
            error = raised
        if self.complete or self._lost:
            return
        if not isinstance(error, Exception):
            error = RuntimeError("the application ended without a whole answer")
        if not self.started:
            await self.answer(error_answer(error, scope["path"]))
        else:
            logger.error("an answer broke off", exc_info=error, extra={"path": scope["path"]})
            self._connection.abort()

    async def left(self) -> None:
        """Returns once the client has closed its side, or the exchange is over."""
        while not (self._lost or self._half_closed or self.complete):
            self._changed.clear()
            await self._changed.wait()

    async def receive(self) -> dict[str, Any]:
        if self._expects_continue and not self.started:
            self._expects_continue = False
            self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not self._is_over:
            if self._body or (self._whole and not self._told):
                self._told = self._whole
                body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
                self._body, self._untaken_bytes = [], 0
                return {"type": "http.request", "body": body, "more_body": not self._whole}
            self._connection.resume_reading()
            self._changed.clear()
            await self._changed.wait()
        return _GONE

    @property
    def _is_over(self) -> bool:
        endless = self.started and self._left is None and not self._without_body
        return self._lost or self.complete or (self._half_closed and endless)

    async def answer(self, answer: Answer) -> None:
        await self.send(
            {"type": "http.response.start", "status": answer.status, "headers": fields_of(answer)}
        )
        await self.send({"type": "http.response.body", "body": answer.body})

    async def send(self, message: Any) -> None:
        """Raises RuntimeError where the application breaks the rules of ASGI or of HTTP."""
        if self._connection.is_full and not self._lost:
            await self._connection.drained()
        if self._lost:
            return
        expected = "http.response.body" if self.started else "http.response.start"
        if self.complete or message["type"] != expected:
            raise RuntimeError(f"{message['type']} is not what may be sent now")
        if self.started:
            self._send_body(message.get("body", b""), more=message.get("more_body", False))
        else:
            self._start(message["status"], message.get("headers", ()))

    def _start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        lines: list[bytes] = []
        for name, text in headers:
            name = name.lower()
            if name == b"connection":
                self.keep_alive = self.keep_alive and text.lower() != b"close"
            elif name != b"transfer-encoding":  # Framing is the server's.
                if name == b"content-length":
                    self._left = int(text)
                lines += (name, b": ", text, b"\r\n")
        fields, count = b"".join(lines), len(lines) // 4
        if fields.count(b"\n") != count or fields.count(b"\r") != count:
            raise RuntimeError("a header of the answer holds a line break")
        common, framing = self._connection.common_lines, self._frame(status)
        head = b"".join((STATUS_LINES[status], common, fields, framing, b"\r\n"))
        self.started = True
        self._connection.write(head)

    def _frame(self, status: int) -> bytes:
        """The lines that tell where the answer ends, and whether the connection does."""
        line, is_1_1 = b"", self._head.version == "1.1"
        # Of a body that was never asked for, nobody knows whether it will come.
        self.keep_alive = self.keep_alive and not self._expects_continue and not self._connection.leaving
        self._without_body = status in _WITHOUT_BODY or self._head.method == "HEAD"
        if self._left is None and not self._without_body:
            if is_1_1:
                self._chunked = True
                line = b"transfer-encoding: chunked\r\n"
            else:
                self.keep_alive = False  # The body ends with the connection.
        if not self.keep_alive:
            return line + b"connection: close\r\n"
        return line if is_1_1 else line + b"connection: keep-alive\r\n"

    def _send_body(self, body: bytes, *, more: bool) -> None:
        if self._without_body:
            self._left = 0
        elif self._chunked:
            if body:
                self._connection.write(b"%x\r\n%b\r\n" % (len(body), body))
            if not more:
                self._connection.write(b"0\r\n\r\n")
        else:
            if self._left is not None:
                self._left -= len(body)
                if self._left < 0 or (self._left and not more):
                    raise RuntimeError("the body of the answer is not as long as its Content-Length")
            self._connection.write(body)
        if not more:
            self.complete = True
            self._connection.flush()
            self._changed.set()
            self._connection.answered(self)
