"""The bytes to and from one client: nothing waits for a client for ever, and nothing piles up."""

import asyncio
from math import inf

from kernel.adapters.http.limits import Limits

JOINED_BYTES_MAX = 16 * 1024
JOINED_WRITES_MAX = 4


class Line(asyncio.Protocol):
    def __init__(self, loop: asyncio.AbstractEventLoop, limits: Limits) -> None:
        self.loop = loop
        self.is_full = False
        """Whether so many bytes wait for the client that no more should be written."""
        self._limits = limits
        self._transport: asyncio.Transport = None  # type: ignore[assignment]  # until the connection is made
        self._written: list[bytes] = []
        self._drained = asyncio.Event()
        self._reading_paused = False
        self._half_closed = False
        """Whether the client has closed its side."""
        self._ending = False
        """Whether no byte of the client is looked at any more."""
        self._due = inf
        self._taken_due = inf
        self._untaken_bytes = 0

    def write(self, data: bytes) -> None:
        """What is written within one turn of the event loop leaves in one packet: each wakes the client."""
        if not self._written:
            self.loop.call_soon(self.flush)
        self._written.append(data)
        # A long answer has to feel that its reader is slow.
        if len(data) > JOINED_BYTES_MAX or len(self._written) > JOINED_WRITES_MAX:
            self.flush()

    def flush(self) -> None:
        if self._written:
            if not self._transport.is_closing():
                self._transport.write(b"".join(self._written))
            self._written.clear()

    async def drained(self) -> None:
        while self.is_full:
            self._drained.clear()
            await self._drained.wait()

    def pause_writing(self) -> None:
        self.is_full = True
        self._untaken_bytes = self._transport.get_write_buffer_size()
        self._taken_due = self.loop.time() + self._limits.taken_within_s

    def resume_writing(self) -> None:
        self.is_full, self._taken_due = False, inf
        self._drained.set()

    def pause_reading(self) -> None:
        if not self._reading_paused and not self._transport.is_closing():
            self._reading_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._reading_paused and not self._half_closed and not self._transport.is_closing():
            self._reading_paused = False
            self._transport.resume_reading()

    def abort(self) -> None:
        self._ending = True
        self._transport.abort()

    def end(self, *, lingering: bool) -> None:
        """Close once the last answer is written. `lingering` is for a client that may still be sending."""
        self._ending = True
        self.flush()
        self._untaken_bytes = self._transport.get_write_buffer_size()
        if self._transport.is_closing():
            return
        if lingering and not self._half_closed:
            self._transport.write_eof()
            self.resume_reading()
            self._due_in(self._limits.linger_s)
        else:
            self._transport.close()
            self._due_in(self._limits.taken_within_s)

    def check(self, now: float) -> None:
        """End what is overdue."""
        if now >= min(self._taken_due, self._due if self._ending else inf):
            untaken = self._transport.get_write_buffer_size()
            if not 0 < untaken < self._untaken_bytes:
                self.abort()
                return
            self._untaken_bytes = untaken
            self._taken_due = self._due = now + self._limits.taken_within_s
        elif now >= self._due and not self._reading_paused:
            self.overdue()

    def overdue(self) -> None:
        """Called when the client has not sent in time what it should."""
        raise NotImplementedError

    def _due_in(self, seconds: float) -> None:
        self._due = self.loop.time() + seconds
