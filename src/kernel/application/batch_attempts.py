"""Runs one batch of a group commit. A batch that fails is repeated while it may succeed, or halved."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from kernel.application.backoff import Backoff
from kernel.domain.errors import Contention, OutcomeUnknown, Unavailable
from kernel.ports.clock import Clock

C = TypeVar("C")
R = TypeVar("R")

Execute = Callable[[Sequence[C]], Awaitable[Sequence[R | Exception]]]

ATTEMPTS_MAX = 5


class BatchAttempts(Generic[C, R]):
    """Runs a batch. Halves a batch that fails for good, until the failing command is alone."""

    def __init__(self, execute: Execute[C, R], repeat: Execute[C, R], clock: Clock) -> None:
        self._execute = execute
        self._repeat = repeat
        self._clock = clock

    async def settle(
        self,
        commands: Sequence[C],
        deadline: float,
        *,
        attempts_max: int = ATTEMPTS_MAX,
        unknown: OutcomeUnknown | None = None,
    ) -> list[R | Exception]:
        """Returns one outcome for each command, in order. Repeats the batch after Contention, after a lost
        answer (`unknown`), and once after Unavailable, because another database host may have taken over."""
        backoff = Backoff(self._clock)
        contentions = failures = 0
        while True:
            try:
                return list(await (self._repeat if unknown else self._execute)(commands))
            except OutcomeUnknown as error:
                unknown = error
            except Unavailable as error:
                failures += 1
                if unknown is None and (failures > 1 or self._clock.monotonic() >= deadline):
                    return [error] * len(commands)
            except Contention:
                contentions += 1
                if unknown is None and contentions >= attempts_max:
                    return await self._halve(commands, deadline, busy(), unknown)
            except Exception as error:
                return await self._halve(commands, deadline, error, unknown)
            if unknown is not None and self._clock.monotonic() >= deadline:
                return [unknown] * len(commands)
            await backoff.wait()

    async def _halve(
        self, commands: Sequence[C], deadline: float, error: Exception, unknown: OutcomeUnknown | None
    ) -> list[R | Exception]:
        if len(commands) == 1:
            return [unknown or error]
        if self._clock.monotonic() >= deadline:
            return [unknown or busy()] * len(commands)
        middle = len(commands) // 2
        outcomes: list[R | Exception] = []
        for half in (commands[:middle], commands[middle:]):
            # A half has one attempt: the whole batch has had its attempts, and a lock may be held for long.
            outcomes += await self.settle(half, deadline, attempts_max=1, unknown=unknown)
        return outcomes


def busy() -> Unavailable:
    return Unavailable("too many calls are waiting for the same rows", code="overloaded")
