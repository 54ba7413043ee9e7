"""The state of one client connection: one request at a time, time limits, and a limit on buffered bytes."""

import asyncio
from math import inf
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade

from kernel.adapters.http.server.connection_limiter import ConnectionLimiter
from kernel.adapters.http.server.request_head import Refused, bad
from kernel.adapters.http.server.request_reader import RequestReader

# The states of a connection, each named after the thing that the connection waits for.
REQUEST, HEAD, BODY, ANSWER = range(4)
_UNFINISHED = (HEAD, BODY)


class Connection(RequestReader):
    """The asyncio protocol that uvicorn makes for each client connection.

    The next request begins when the client has taken the whole previous answer. If bytes of the next request
    arrive earlier, reading pauses.
    """

    def __init__(self, limiter: ConnectionLimiter, **given: Any) -> None:
        super().__init__(limiter, **given)
        self.held_bytes = 0
        """The number of received bytes that are not parsed yet, or belong to an unanswered request's body."""
        limits = limiter.limits
        self._within_s = (limits.idle_s, limits.head_within_s, limits.body_within_s, inf)
        self._waits = REQUEST
        self._is_held_back = False
        """Whether reading is paused, because the received bytes belong to the next request."""
        self._begins_when_taken = False
        self._why_refused: str | None = None

    # Called by the transport and by uvicorn.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        descriptor = transport.get_extra_info("socket").fileno()
        self._why_refused = self.limiter.admit(self, self.client[0] if self.client else "", descriptor)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.is_ending = True
        self.client_left.set()
        self.limiter.leave(self)
        self._forget()
        # The cycle refers to this connection. Without this line, only the garbage collector would free both.
        self.cycle = None  # type: ignore[assignment]  # as uvicorn begins

    def data_received(self, data: bytes) -> None:
        if not self.is_ending:
            self._unread += data
            self._go_on()

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio allows a bool
        """The client has closed its side. Returns whether the connection stays open, for an answer."""
        self.client_left.set()
        if self.is_answering:
            self.cycle.message_event.set()
        if not self.is_ending:
            self._go_on()
        return not self.is_closing()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._begins_when_taken:
            self._begins_when_taken = False
            self.transport.set_write_buffer_limits()
            self._go_on()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self.is_answering = False
        if not self.is_closing():
            self.flow.resume_reading()  # The rest of the body is read and dropped.
            self._go_on()

    # Called by the limiter.

    @property
    def is_unfinished(self) -> bool:
        """Whether a request has arrived only in part."""
        return self._waits in _UNFINISHED

    @property
    def spare_bytes(self) -> int:
        """The number of held bytes that `shed` would free: all except the bytes of a complete request."""
        return self.held_bytes if self.is_unfinished else len(self._unread)

    def shed(self) -> None:
        """Frees the spare bytes, and ends the connection. A complete request still gets its answer."""
        if self.is_answering and not self.is_unfinished:
            self.keeps_alive = self.cycle.keep_alive = False
            self._unread = b""
            self._count_held()
        else:
            self.refuse(Refused(503, "overloaded", "too many requests are unfinished"))

    def check(self, now: float) -> None:
        """Ends the connection if its client sends a request or receives an answer too slowly."""
        untaken_bytes = self.transport.get_write_buffer_size()
        if not untaken_bytes or untaken_bytes != self._untaken_bytes:
            self._untaken_bytes, self._taken_at = untaken_bytes, now
        elif now >= self._taken_at + self.limiter.limits.taken_within_s:
            self.abort()
        if now >= self.due:
            if self.is_ending:
                self.transport.close()
            elif self.flow.read_paused:
                return
            elif self.is_unfinished:
                self.refuse(Refused(408, "request_timeout", "the request did not come in time"))
            else:
                self.close()

    # One request after the other.

    def _go_on(self) -> None:
        """Parses the received bytes as far as possible, and enters the state that follows from them."""
        has_left = self.client_left.is_set()
        try:
            if self._unread:
                self._read()
            if self._in_body:
                waits = BODY
            elif self.is_answering or self._begins_when_taken:
                waits = ANSWER
            else:
                waits = HEAD if self._unread else REQUEST
            if has_left and waits in _UNFINISHED:
                raise bad("the connection ended before the request was complete")
        except Refused as refused:
            self.refuse(refused)
            return
        if waits != self._waits:
            self._waits = waits
            self.due = inf if waits == ANSWER else self.loop.time() + self._within_s[waits]
        if has_left and waits == REQUEST:
            self.close()
            return
        if self._unread and waits == ANSWER:
            self._is_held_back = True
            self.flow.pause_reading()
        elif self._is_held_back:
            self._is_held_back = False
            self.flow.resume_reading()
        self._count_held()

    def _read(self) -> None:
        """Parses the received bytes until more bytes are needed or an answer has to end. Raises Refused."""
        if self._why_refused is not None:
            raise Refused(503, "overloaded", self._why_refused)
        try:
            while self._unread and not self._begins_when_taken:
                if self._in_body:
                    self._read_body()
                elif self.is_answering:
                    return
                elif self.transport.get_write_buffer_size():
                    # The client has not taken the whole answer yet. `resume_writing` is called when it has.
                    self._begins_when_taken = True
                    self.transport.set_write_buffer_limits(high=0)
                elif not self._read_head():
                    return
                if self._in_body == (self._missing_bytes == 0):
                    raise bad("the end of the body is ambiguous")
        except (HttpParserError, HttpParserUpgrade) as error:
            raise bad(f"the request is not valid HTTP: {error}") from error

    def _count_held(self) -> None:
        count = len(self._unread) + (self._body_bytes if self.is_answering else 0)
        if count != self.held_bytes:
            more, self.held_bytes = count - self.held_bytes, count
            self.limiter.held_bytes += more
            if more > 0 and self.limiter.is_full:
                self.limiter.make_room()

    def close(self) -> None:
        super().close()
        self._forget()

    def _forget(self) -> None:
        self._unread, self._body_bytes, self._waits = b"", 0, ANSWER
        self._begins_when_taken = False
        self._count_held()
