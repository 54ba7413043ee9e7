"""Group commit: what arrives while a transaction is in flight shares the next one."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from kernel.application.batch_attempts import BatchAttempts, Execute, busy
from kernel.domain.errors import OutcomeUnknown, Unavailable
from kernel.ports.clock import Clock

C = TypeVar("C")
R = TypeVar("R")

ANSWER_WITHIN_S = 10.0
# Under overload a call that waited longer would be given up by its caller, and its work would be in vain.
WAIT_MAX_S = 5.0
# Some callers try again at once: to refuse them at once would cost as much as the work itself.
REFUSED_AFTER_S = 1.0


@dataclass(slots=True, eq=False)
class _Call(Generic[C, R]):
    commands: Sequence[C]
    answer: asyncio.Future[list[R | Exception]]
    since: float
    begun: bool = False

    @property
    def deadline(self) -> float:
        return self.since + ANSWER_WITHIN_S


class GroupCommit(Generic[C, R]):
    """Runs a set-based use case for many callers at once.

    No call waits for company: at low load a batch is one call. `execute` answers with one outcome a command,
    in order, and is safe to repeat with the same commands, because they carry their ids; after a lost answer
    `repeat`, where it is given, takes its place. A batch that fails is halved (BatchAttempts), so that
    only the culprit's caller gets the error. A caller who hangs up cancels nothing once begun.
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
    ) -> None:
        self._batches = BatchAttempts(execute, repeat or execute, clock)
        self._clock = clock
        self._batch_size_max = batch_size_max
        self._waiting_max = waiting_max
        self._wait_max_s = wait_max_s
        self._in_flight_max = in_flight_max
        self._waiting: deque[_Call[C, R]] = deque()
        self._waiting_count = 0
        self._unanswered: dict[_Call[C, R], None] = {}
        self._patience: asyncio.TimerHandle | None = None
        self._in_flight: set[asyncio.Task[None]] = set()
        self._in_flight_count = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, command: C) -> R:
        """The outcome of one command; raises it where it is an error."""
        (outcome,) = await self.submit((command,))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def submit(self, commands: Sequence[C]) -> list[R | Exception]:
        """One outcome a command, in order, within 10 s: Unavailable for what was not begun by then, and
        OutcomeUnknown for what was. Raises Unavailable (`overloaded`) when too many calls wait, or wait too
        long."""
        # Asking for the running loop is a system call (getpid), which costs more than all the rest here.
        self._loop = loop = self._loop or asyncio.get_running_loop()
        now = loop.time()
        if self._waits_too_long(now):
            await self._clock.sleep(REFUSED_AFTER_S)
            raise _overloaded()
        if self._waiting_count + len(commands) > self._waiting_max:
            raise _overloaded()
        call: _Call[C, R] = _Call(commands, loop.create_future(), now)
        self._waiting.append(call)
        self._waiting_count += len(commands)
        if self._in_flight_count < self._in_flight_max:
            self._in_flight_count += 1
            task = asyncio.create_task(self._work())
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)
        self._unanswered[call] = None
        if self._patience is None:
            self._patience = loop.call_at(call.deadline, self._give_up)
        try:
            return await call.answer
        finally:
            del self._unanswered[call]

    def _waits_too_long(self, now: float) -> bool:
        """Whether the oldest call that has not been given up waits longer than `wait_max_s`."""
        while self._waiting and self._waiting[0].answer.done():
            self._waiting_count -= len(self._waiting.popleft().commands)
        return bool(self._waiting) and now > self._waiting[0].since + self._wait_max_s

    def _give_up(self) -> None:
        """One timer for all calls, set for the oldest: a timer each would take as long as all the rest."""
        loop = asyncio.get_running_loop()
        self._patience = None
        for call in self._unanswered:
            if call.deadline > loop.time():
                self._patience = loop.call_at(call.deadline, self._give_up)
                break
            if not call.answer.done():
                late = OutcomeUnknown("there was no answer in time") if call.begun else busy()
                call.answer.set_result([late] * len(call.commands))

    async def _work(self) -> None:
        try:
            while calls := self._next_batch():
                commands = [command for call in calls for command in call.commands]
                outcomes = await self._batches.settle(commands, self._clock.monotonic() + ANSWER_WITHIN_S)
                # What was committed goes on its way before its callers are answered.
                await asyncio.sleep(0)
                start = 0
                for call in calls:
                    end = start + len(call.commands)
                    if not call.answer.done():
                        call.answer.set_result(outcomes[start:end])
                    start = end
        finally:
            self._in_flight_count -= 1

    def _next_batch(self) -> list[_Call[C, R]]:
        calls: list[_Call[C, R]] = []
        size = 0
        while self._waiting and (not calls or size + len(self._waiting[0].commands) <= self._batch_size_max):
            call = self._waiting.popleft()
            self._waiting_count -= len(call.commands)
            if not call.answer.done():
                call.begun = True
                calls.append(call)
                size += len(call.commands)
        return calls


def _overloaded() -> Unavailable:
    return Unavailable("too many calls are waiting", code="overloaded")
