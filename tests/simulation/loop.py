"""An event loop with virtual time, on which waiting takes no real time, and a clock that shows its time."""

import asyncio
import random
from collections.abc import Coroutine
from contextvars import Context, ContextVar
from copy import copy
from datetime import datetime, timedelta
from typing import Any, Protocol

from tests.memory.clock import EPOCH, MemoryClock


class Owner(Protocol):
    def own(self, task: asyncio.Task[Any]) -> None: ...


# Whose tasks are being started: tasks inherit it from the task that starts them.
OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs ready callbacks in order. When none is ready, time jumps to the next timer. There is no I/O."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = self
        self.set_task_factory(_owned)

    def time(self) -> float:
        return self._now

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("nothing will ever happen again")
        self._now += timeout
        return []

    def _process_events(self, events: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def end(self) -> None:
        """Cancels all tasks, and closes the loop."""
        tasks = sorted(asyncio.all_tasks(self), key=lambda task: task.get_name())
        for task in tasks:
            task.cancel()
        if tasks:
            self.run_until_complete(asyncio.wait(tasks))
        self.close()


def _owned(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], context: Context | None = None
) -> asyncio.Task[Any]:
    task = asyncio.Task(coroutine, loop=loop, context=context)
    owner = OWNER.get() if context is None else context.get(OWNER)
    if owner is not None:
        owner.own(task)
    return task


class SimClock(MemoryClock):
    """The clock of one process. It differs a little from the clocks of other processes."""

    def __init__(self, rng: random.Random, *, skew_s: float) -> None:
        super().__init__(seed=rng.getrandbits(32))
        self._loop = asyncio.get_running_loop()
        self._start = EPOCH + timedelta(seconds=skew_s)

    def ahead(self, seconds: float) -> "SimClock":
        clock = copy(self)
        clock._start += timedelta(seconds=seconds)
        return clock

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
