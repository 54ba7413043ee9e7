"""A connection of a client: one request at a time, and a limit on all that may grow."""

import asyncio
from math import inf
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from kernel.adapters.http.door import Door
from kernel.adapters.http.exchange import Exchange
from kernel.adapters.http.incoming import Incoming
from kernel.adapters.http.left import LEFT
from kernel.adapters.http.line import Line
from kernel.adapters.http.request_head import Refused, RequestHead
from kernel.adapters.http.response_head import refusal
from kernel.adapters.http.scope import scope_of


class Connection(Line):
    """uvicorn makes one for each client.

    The next request is begun once the previous one was answered and its answer taken. Reading pauses where
    something of it has come before.
    """

    def __init__(
        self,
        door: Door,
        *,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(_loop or asyncio.get_running_loop(), door.limits)
        self.held_bytes = 0
        self._door = door
        self._state = server_state
        self._app_state = app_state
        self._why_refused: str | None = None
        self._incoming = Incoming(door.limits)
        self._exchange: Exchange | None = None
        self._begins_when_taken = False

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._state.connections.add(cast(Any, self))
        peer, name = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        self._client = (str(peer[0]), int(peer[1])) if peer else None
        self._server = (str(name[0]), int(name[1])) if name else None
        self._due_in(self._limits.head_within_s)
        descriptor = transport.get_extra_info("socket").fileno()
        self._why_refused = self._door.admit(self, self._client[0] if self._client else "", descriptor)

    def connection_lost(self, _: Exception | None) -> None:
        self._state.connections.discard(cast(Any, self))
        self._door.leave(self)
        self._ending = True
        self._forget()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._ending:
            return
        self._incoming.unread += data
        self._go_on()

    def eof_received(self) -> bool:
        """Whether the connection stays open: what was asked for is answered."""
        self._half_closed = True
        if not self._ending:
            if self._exchange is not None:
                self._exchange.half_close()
            self._go_on()
        return not (self._ending or self._transport.is_closing())

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._begins_when_taken:
            self._begins_when_taken = False
            self._transport.set_write_buffer_limits()
            self._go_on()

    # What the server and the door call.

    def shutdown(self) -> None:
        if self._exchange is None or self._exchange.complete:
            self._transport.close()
        else:
            self._exchange.keep_alive = False

    def overdue(self) -> None:
        if self.is_unfinished:
            self.refuse(Refused(408, "request_timeout", "the request did not come in time"))
        else:
            self._end()

    @property
    def is_unfinished(self) -> bool:
        """Whether a request has begun to come, and is not whole."""
        return self._incoming.in_body or self._incoming.in_head

    def refuse(self, refused: Refused) -> None:
        """The server's own answer, and the end."""
        if self._exchange is not None and self._exchange.started:
            self.abort()
        else:
            if self._exchange is not None:
                self._exchange.lose()
            self.write(refusal(refused, self._door.common_lines))
            self._end(lingering=True)

    # What the exchange calls.

    @property
    def common_lines(self) -> bytes:
        return self._door.common_lines

    @property
    def leaving(self) -> bool:
        return self._door.leaving

    def answered(self, exchange: Exchange) -> None:
        if self._ending or exchange is not self._exchange or self._transport.is_closing():
            return
        if not exchange.keep_alive:
            self._end()
        elif self._incoming.in_body:
            self.resume_reading()  # What is left of the body is dropped.
            self._count_held()
        else:
            self._due_in(self._limits.idle_s)
            self._exchange = None
            self._go_on()

    # One request after the other.

    def _go_on(self) -> None:
        """Do what can be done with the bytes that have come."""
        try:
            if self._why_refused is not None:
                raise Refused(503, "overloaded", self._why_refused)
            if self._incoming.in_body:
                self._read_body()
            if self._exchange is None and self._incoming.unread and not self._begins_when_taken:
                self._begin_when_taken()
            if self._half_closed and self.is_unfinished:
                raise Refused(400, "invalid_request", "the request ends before it is whole")
        except Refused as refused:
            self.refuse(refused)
        if self._ending:
            return
        if self._exchange is None and self._half_closed and not self._begins_when_taken:
            self._end()
            return
        if self._begins_when_taken or (self._exchange is not None and self._incoming.unread):
            self.pause_reading()
        elif self._exchange is None or not self._exchange.is_full:
            self.resume_reading()
        self._count_held()

    def _begin_when_taken(self) -> None:
        """Raises Refused."""
        if self._transport.get_write_buffer_size():
            # The client has yet to take the previous answer; the transport tells when it has.
            self._begins_when_taken = True
            self._transport.set_write_buffer_limits(high=0)
            return
        had_begun = self._incoming.in_head
        head = self._incoming.head()
        if head is not None:
            self._begin(head)
        elif not had_begun:
            self._due_in(self._limits.head_within_s)

    def _begin(self, head: RequestHead) -> None:
        """Raises Refused."""
        self._exchange = exchange = Exchange(self, head, whole=not self._incoming.in_body)
        scope = scope_of(
            head,
            client=self._client,
            server=self._server,
            state=self._app_state.copy(),
            extensions={LEFT: exchange.left},
        )
        task = self.loop.create_task(exchange.run(self._door.app, scope))
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)
        self._due = inf
        if self._incoming.in_body:
            self._due_in(self._limits.body_within_s)
            self._read_body()

    def _read_body(self) -> None:
        """Raises Refused."""
        body, exchange = self._incoming.body(), self._exchange
        assert exchange is not None
        if not exchange.complete:
            exchange.take_body(body, whole=not self._incoming.in_body)
        if not self._incoming.in_body:
            self._due = inf
            if exchange.complete:
                self._exchange = None
                self._due_in(self._limits.idle_s)

    def _count_held(self) -> None:
        exchange = self._exchange
        count = len(self._incoming.unread)
        if exchange is not None and not exchange.complete:
            count += exchange.body_bytes
        if count != self.held_bytes:
            more, self.held_bytes = count - self.held_bytes, count
            self._door.hold(more)

    def abort(self) -> None:
        self._forget()
        super().abort()

    def _end(self, *, lingering: bool = False) -> None:
        lingering = lingering or self.is_unfinished or bool(self._incoming.unread)
        self._forget()
        self.end(lingering=lingering)

    def _forget(self) -> None:
        if self._exchange is not None and not self._exchange.complete:
            self._exchange.lose()
        self._incoming.forget()
        self._exchange = None
        self._begins_when_taken = False
        self._count_held()
