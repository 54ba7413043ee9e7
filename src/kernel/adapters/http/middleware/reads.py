"""Limits reads to a separate budget, so that they cannot starve writes.

A read of 500 rows blocks the event loop for milliseconds. A write needs a dozen turns of the loop, and
waits in each turn for all reads that are ready. 64 readers of 500 rows would slow writes down fiftyfold.
"""

import asyncio
from collections import deque
from time import monotonic

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from kernel.adapters.http.middleware.fast_path import send_problem
from kernel.domain.errors import Unavailable

# Fewer reads than database connections run at once, so that some connections stay free for writes.
AT_ONCE_MAX = 6
AT_ONCE_BESIDE_WRITES = 3
# A process counts as writing for this time after a write began. The time is limited, because some writes
# only wait (`Prefer: wait`).
BESIDE_WRITES_S = 0.5
# A process counts as writing for this time after its last write ended. Clients that write without a pause
# send their next write within this time.
AFTER_WRITES_S = 0.02
# The approximate cost of a read for the event loop: 500 rows, 130 kB, take 4 ms.
COST_OF_READ_S = 0.0003
COST_OF_BYTE_S = 0.000_000_03
# The part of the event loop's time that reads may use while the process is writing.
SHARE_BESIDE_WRITES = 0.2
# A read waits up to this time before it is refused. Clients retry an immediate refusal at once.
WAIT_MAX_S = 2.0
WAITING_MAX = 1000

# These paths are never limited, because operators need them most while other calls wait.
_NO_READS = ("/health/", "/metrics")


def bound_reads(
    app: ASGIApp, budget: "ReadBudget", *, written_by_get: tuple[str, ...] = (), streams: tuple[str, ...] = ()
) -> ASGIApp:
    """Limits the reads of `app`. A read counts until its answer begins, so slow clients do not block others.

    GETs whose paths end in `written_by_get` count as writes. GETs whose paths end in `streams` are not
    counted, because streams have their own limit and share their database reads.
    """

    async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") != "GET" or scope["path"].endswith(written_by_get):
            budget.write_begins()
            try:
                await app(scope, receive, send)
            finally:
                budget.write_ends()
        elif scope["path"].startswith(_NO_READS) or scope["path"].endswith(streams):
            await app(scope, receive, send)
        else:
            await read(scope, receive, send)

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await budget.begin()
        except Unavailable as error:
            await send_problem(error, scope, send)
            return
        has_place = True

        async def sending(message: Message) -> None:
            nonlocal has_place
            if has_place:
                has_place = False
                budget.end(_length(message))
            await send(message)

        try:
            await app(scope, receive, sending)
        finally:
            if has_place:
                budget.end(0)

    return bounded


def _length(start: Message) -> int:
    """The length of the answer's body in bytes; 0 if it is not known."""
    if start["type"] != "http.response.start":
        return 0
    lengths = [int(text) for name, text in start.get("headers", ()) if name.lower() == b"content-length"]
    return sum(lengths)


class ReadBudget:
    """Limits how many reads run at once in one process.

    While the process is writing, reads also get only a share of the event loop's time: the next read begins
    when the reads before it have used no more than that share.
    """

    def __init__(self, *, wait_max_s: float = WAIT_MAX_S, waiting_max: int = WAITING_MAX) -> None:
        self._wait_max_s = wait_max_s
        self._waiting_max = waiting_max
        self._beside_writes_until = 0.0
        self._writes_count = 0
        self._reads_count = 0
        self._paid_at = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def write_begins(self) -> None:
        """Counts a write. The caller has to call `write_ends` when the write ends."""
        self._writes_count += 1
        self._beside_writes_until = monotonic() + BESIDE_WRITES_S

    def write_ends(self) -> None:
        self._writes_count -= 1
        if not self._writes_count:
            self._beside_writes_until = min(self._beside_writes_until, monotonic() + AFTER_WRITES_S)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._begin_when_paid()

    async def begin(self) -> None:
        """Waits until a read may begin; `end` has to be called later. Raises Unavailable (`overloaded`)."""
        if self._waiting or not self._has_room:
            await self._turn()
        else:
            self._reads_count += 1

    def end(self, length: int) -> None:
        """Ends a read whose answer has a body of `length` bytes. The next waiting read may begin."""
        self._reads_count -= 1
        now = monotonic()
        if now < self._beside_writes_until:
            cost_s = COST_OF_READ_S + COST_OF_BYTE_S * length
            self._paid_at = max(now, self._paid_at) + cost_s / SHARE_BESIDE_WRITES
        self._begin_next()

    async def _turn(self) -> None:
        if len(self._waiting) >= self._waiting_max:
            raise _overloaded()
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        self._begin_when_paid()
        patience = loop.call_later(self._wait_max_s, _give_up, turn)
        try:
            await turn
        finally:
            patience.cancel()

    @property
    def _has_room(self) -> bool:
        now = monotonic()
        if now >= self._beside_writes_until:
            return self._reads_count < AT_ONCE_MAX
        return self._reads_count < AT_ONCE_BESIDE_WRITES and now >= self._paid_at

    def _begin_next(self) -> None:
        while self._waiting and self._has_room:
            turn = self._waiting.popleft()
            if not turn.done():  # It is done if the read waited too long.
                self._reads_count += 1
                turn.set_result(None)
        self._begin_when_paid()

    def _begin_when_paid(self) -> None:
        """Starts a timer for the next read, if that read waits only because of the reads' share of time."""
        if self._timer is None and self._waiting and self._reads_count < AT_ONCE_BESIDE_WRITES:
            at = min(self._paid_at, self._beside_writes_until)
            self._timer = asyncio.get_running_loop().call_at(at, self._paid)

    def _paid(self) -> None:
        self._timer = None
        self._begin_next()


def _give_up(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(_overloaded())


def _overloaded() -> Unavailable:
    return Unavailable("too many reads are waiting", code="overloaded")
