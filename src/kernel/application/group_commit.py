"""Group commit: calls that arrive while a transaction is in flight share the next one."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

from kernel.application.batch_attempts import BatchAttempts, Execute, busy
from kernel.application.gathering import Company
from kernel.domain.errors import OutcomeUnknown, Unavailable
from kernel.ports.clock import Clock

C = TypeVar("C")
R = TypeVar("R")

ANSWER_WITHIN_S = 10.0
# Under overload, callers give up calls that wait longer, so the work for these calls would be in vain.
WAIT_MAX_S = 5.0
# Some callers try again at once. Refusing them at once would cost as much as the work itself.
REFUSED_AFTER_S = 1.0
# If a batch takes longer, the next one begins beside it.
BESIDE_AFTER_S = 0.1
# BESIDE_AFTER_S with `kind_of`: an early second batch would leave fewer calls of a kind to the next one.
KINDS_BESIDE_AFTER_S = 0.5


@dataclass(slots=True, eq=False)
class _Call(Generic[C, R]):
    commands: Sequence[C]
    answer: asyncio.Future[list[R | Exception]]
    since: float
    kind: int = 0
    begun: bool = False

    @property
    def deadline(self) -> float:
        return self.since + ANSWER_WITHIN_S


class GroupCommit(Generic[C, R]):
    """Runs a set-based use case for many callers at once.

    At low load a batch is one call, and begins at once. After a batch has ended, the next batch waits for the
    callers of that batch: at most half as long as that batch took, and at most 20 ms (Company). A second
    batch begins beside the first only if it is full, or once the first has taken BESIDE_AFTER_S.

    With `kind_of`, a batch holds whole kinds if more calls wait than fit. The kinds that wait longest come
    first. The kind of a call is the kind of its first command. With fewer batches in flight, more calls of a
    kind wait together. So a second batch begins beside the first only once the first has taken
    KINDS_BESIDE_AFTER_S.

    `execute` returns one outcome for each command, in order. It must be safe to repeat with the same
    commands, which carry their ids. After a lost answer `repeat` is called instead, if it is given. A batch
    that fails is halved (BatchAttempts), so that only the caller of the failing command gets the error. A
    call that has begun goes on if its caller hangs up.
    """

    def __init__(
        self,
        execute: Execute[C, R],
        clock: Clock,
        *,
        repeat: Execute[C, R] | None = None,
        batch_size_max: int = 200,
        waiting_max: int = 10_000,
        wait_max_s: float = WAIT_MAX_S,
        in_flight_max: int = 2,
        kind_of: Callable[[C], int] | None = None,
    ) -> None:
        self._batches = BatchAttempts(execute, repeat or execute, clock)
        self._clock = clock
        self._batch_size_max = batch_size_max
        self._waiting_max = waiting_max
        self._wait_max_s = wait_max_s
        self._in_flight_max = in_flight_max
        self._kind_of = kind_of
        self._beside_after_s = KINDS_BESIDE_AFTER_S if kind_of else BESIDE_AFTER_S
        self._waiting: deque[_Call[C, R]] = deque()
        self._waiting_count = 0
        self._unanswered: dict[_Call[C, R], None] = {}
        self._deadline_timer: asyncio.TimerHandle | None = None
        self._in_flight: set[asyncio.Task[None]] = set()
        self._in_flight_count = 0
        self._begun_at = 0.0
        self._company = Company()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, command: C) -> R:
        """Returns the outcome of the command. Raises the outcome if it is an exception."""
        (outcome,) = await self.submit((command,))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def submit(self, commands: Sequence[C]) -> list[R | Exception]:
        """Returns one outcome for each command, in order, within 10 s. After 10 s the outcome is
        OutcomeUnknown for a call that has begun, and Unavailable for any other call. Raises Unavailable
        (`overloaded`) if too many calls wait, or the oldest call has waited too long."""
        # get_running_loop makes a system call (getpid), which costs more than the rest of this method.
        self._loop = loop = self._loop or asyncio.get_running_loop()
        now = loop.time()
        if self._waits_too_long(now):
            await self._clock.sleep(REFUSED_AFTER_S)
            raise _overloaded()
        if self._waiting_count + len(commands) > self._waiting_max:
            raise _overloaded()
        kind = self._kind_of(commands[0]) if self._kind_of and commands else 0
        call: _Call[C, R] = _Call(commands, loop.create_future(), now, kind)
        self._waiting.append(call)
        self._waiting_count += len(commands)
        self._begin(loop, now)
        self._unanswered[call] = None
        if self._deadline_timer is None:
            self._deadline_timer = loop.call_at(call.deadline, self._give_up)
        try:
            return await call.answer
        finally:
            del self._unanswered[call]

    def _waits_too_long(self, now: float) -> bool:
        """Returns whether the oldest call that has not been given up waits longer than `wait_max_s`."""
        while self._waiting and self._waiting[0].answer.done():
            self._waiting_count -= len(self._waiting.popleft().commands)
        return bool(self._waiting) and now > self._waiting[0].since + self._wait_max_s

    def _give_up(self) -> None:
        """Answers the calls that are past their deadline. One timer, set for the oldest call, serves all
        calls, because a timer for each call would cost as much as the rest of the call."""
        loop = asyncio.get_running_loop()
        self._deadline_timer = None
        for call in self._unanswered:
            if call.deadline > loop.time():
                self._deadline_timer = loop.call_at(call.deadline, self._give_up)
                break
            if not call.answer.done():
                late = OutcomeUnknown("there was no answer in time") if call.begun else busy()
                call.answer.set_result([late] * len(call.commands))

    def _begin(self, loop: asyncio.AbstractEventLoop, now: float) -> None:
        """Begins the next batch if it is due, else sets a timer for it."""
        if not self._waiting or self._in_flight_count == self._in_flight_max:
            return
        due = self._due()
        if now < due:
            if self._timer is None:
                self._timer = loop.call_at(due, self._when_due, loop)
            return
        self._forget_timer()
        self._in_flight_count += 1
        self._begun_at = now
        task = asyncio.create_task(self._work(loop))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    def _when_due(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        # Timers of uvloop have the resolution of its clock, a millisecond, and may fire early.
        self._begin(loop, max(loop.time(), self._due()))

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> float:
        """Returns the time at which the next batch begins, by the loop's clock; 0 means at once."""
        if self._waiting_count >= self._batch_size_max and not (self._kind_of and self._in_flight_count):
            return 0.0
        if self._in_flight_count:
            return self._begun_at + self._beside_after_s
        return self._company.awaited_until(len(self._waiting))

    async def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        begun_at = self._begun_at
        calls = self._next_batch()
        try:
            commands = [command for call in calls for command in call.commands]
            deadline = self._clock.monotonic() + ANSWER_WITHIN_S
            outcomes = await self._batches.settle(commands, deadline) if calls else []
            # Lets the relays begin to publish the committed events before the callers are answered.
            await asyncio.sleep(0)
            start = 0
            for call in calls:
                end = start + len(call.commands)
                if not call.answer.done():
                    call.answer.set_result(outcomes[start:end])
                start = end
        finally:
            self._in_flight_count -= 1
            self._forget_timer()
            now = loop.time()
            if calls:
                count = len(calls) + len(self._waiting)
                self._company.answered(count, took_s=now - begun_at, now=now)
            self._begin(loop, now)

    def _next_batch(self) -> list[_Call[C, R]]:
        calls: list[_Call[C, R]] = []
        size, size_max = 0, self._batch_size_max
        if self._kind_of and self._waiting_count > size_max:
            size_max = self._put_kinds_together()
        while self._waiting and (not calls or size + len(self._waiting[0].commands) <= size_max):
            call = self._waiting.popleft()
            self._waiting_count -= len(call.commands)
            if not call.answer.done():
                call.begun = True
                calls.append(call)
                size += len(call.commands)
        return calls

    def _put_kinds_together(self) -> int:
        """Groups the waiting calls by kind. Returns how many commands of whole kinds fit into a batch."""
        kinds: dict[int, list[_Call[C, R]]] = {}
        for call in self._waiting:
            kinds.setdefault(call.kind, []).append(call)
        # Kinds go by their oldest call, so that a kind that fills whole batches does not hold up the others.
        in_turn = sorted(kinds.values(), key=lambda calls: calls[0].since)
        self._waiting = deque(chain.from_iterable(in_turn))
        whole = 0
        for calls in in_turn:
            size = sum(len(call.commands) for call in calls)
            if whole + size > self._batch_size_max:
                break
            whole += size
        return whole or self._batch_size_max


def _overloaded() -> Unavailable:
    return Unavailable("too many calls are waiting", code="overloaded")
