"""Group commit: what arrives while a transaction is in flight shares the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from kernel.application.backoff import Backoff
from kernel.domain.errors import Contention, OutcomeUnknown, Unavailable
from kernel.ports.clock import Clock

C = TypeVar("C")
R = TypeVar("R")

ATTEMPTS_MAX = 5
OUTCOME_WITHIN = timedelta(seconds=10)


@dataclass(slots=True)
class _Call(Generic[C, R]):
    commands: Sequence[C]
    answer: asyncio.Future[list[R | Exception]]


class GroupCommit(Generic[C, R]):
    """Runs a set-based use case for many callers at once.

    There is no timer: at low load a batch is one call and nothing is added to it. `execute` answers with one
    outcome a command, in order, and is safe to repeat with the same commands, because they carry their ids.
    A batch that fails is halved until the culprit stands alone; only its caller gets the error. A caller who
    hangs up cancels nothing.
    """

    def __init__(
        self,
        execute: Callable[[Sequence[C]], Awaitable[Sequence[R | Exception]]],
        clock: Clock,
        *,
        batch_size_max: int = 200,
        waiting_max: int = 10_000,
        in_flight_max: int = 2,
    ) -> None:
        self._execute = execute
        self._clock = clock
        self._batch_size_max = batch_size_max
        self._waiting_max = waiting_max
        self._in_flight_max = in_flight_max
        self._waiting: deque[_Call[C, R]] = deque()
        self._waiting_count = 0
        self._in_flight: set[asyncio.Task[None]] = set()

    async def __call__(self, command: C) -> R:
        """The outcome of one command; raises it where it is an error."""
        (outcome,) = await self.submit((command,))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def submit(self, commands: Sequence[C]) -> list[R | Exception]:
        """One outcome a command, in order. Raises Unavailable (`overloaded`) when too many calls wait."""
        if self._waiting_count + len(commands) > self._waiting_max:
            raise Unavailable("too many calls are waiting", code="overloaded")
        call = _Call[C, R](commands, asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        self._waiting_count += len(commands)
        if len(self._in_flight) < self._in_flight_max:
            task = asyncio.create_task(self._work())
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)
        return await call.answer

    async def drain(self) -> None:
        """Return when every call that was taken has its answer."""
        while self._in_flight:
            await asyncio.wait(self._in_flight)

    async def _work(self) -> None:
        while calls := self._next_batch():
            outcomes = await self._settle([command for call in calls for command in call.commands])
            start = 0
            for call in calls:
                end = start + len(call.commands)
                if not call.answer.done():
                    call.answer.set_result(outcomes[start:end])
                start = end

    def _next_batch(self) -> list[_Call[C, R]]:
        calls: list[_Call[C, R]] = []
        size = 0
        while self._waiting and (not calls or size + len(self._waiting[0].commands) <= self._batch_size_max):
            calls.append(self._waiting.popleft())
            size += len(calls[-1].commands)
        self._waiting_count -= size
        return calls

    async def _settle(self, commands: Sequence[C]) -> list[R | Exception]:
        try:
            return list(await self._attempt(commands))
        except (Unavailable, OutcomeUnknown) as error:
            return [error] * len(commands)
        except Exception as error:
            if len(commands) == 1:
                return [error]
            middle = len(commands) // 2
            return await self._settle(commands[:middle]) + await self._settle(commands[middle:])

    async def _attempt(self, commands: Sequence[C]) -> Sequence[R | Exception]:
        """Repeat what lost a race, what met a stale connection, and what may already be done."""
        backoff = Backoff(self._clock)
        unknown: OutcomeUnknown | None = None
        deadline = self._clock.now() + OUTCOME_WITHIN
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._execute(commands)
            except Contention:
                if unknown is None and attempt >= ATTEMPTS_MAX:
                    raise
            except OutcomeUnknown as error:
                unknown = error
            except Unavailable:
                if unknown is None and attempt > 1:
                    raise
            if unknown is not None and self._clock.now() >= deadline:
                raise unknown
            await backoff.wait()
