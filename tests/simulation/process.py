"""A simulated process that can die at each port call, and then loses everything uncommitted."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from kernel.domain.errors import Contention, OutcomeUnknown, Unavailable
from tests.memory.database import MemoryDatabase, Transaction
from tests.memory.unit_of_work import MemoryUnitOfWork
from tests.simulation.faults import COMMIT, Fault, Faults, server_of
from tests.simulation.loop import OWNER

T = TypeVar("T")

DEADLOCK = "deadlock"


class NoAnswer(Exception):
    """The connection to the process broke before its answer came."""


class AroundProcess(Protocol):
    faults: Faults

    def note(self, line: str) -> None: ...

    def rolled_back(self) -> None: ...

    def died(self, process: "Process") -> None: ...

    def deadlocked(self, process: "Process") -> None: ...

    def crashed(self, process: "Process", error: BaseException) -> None: ...

    def leaves(self, process: "Process", server: str | None) -> None:
        """Makes this server unreachable for the process, for a while."""
        ...

    def is_away(self, process: "Process", server: str | None) -> bool: ...


class Process:
    def __init__(self, name: str, world: AroundProcess) -> None:
        self.name = name
        self.service = name.split("-")[0]
        self.alive = True
        self.faults = world.faults
        self.transactions: dict[Transaction, None] = {}
        self._world = world
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._answers: dict[asyncio.Future[Any], None] = {}

    def note(self, line: str) -> None:
        self._world.note(f"{self.name}: {line}")

    def spawn(self, act: Coroutine[Any, Any, None]) -> None:
        context = copy_context()
        context.run(OWNER.set, self)
        asyncio.get_running_loop().create_task(act, context=context)

    def own(self, task: asyncio.Task[Any]) -> None:
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        if not self.alive:
            task.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._world.crashed(self, error)

    def kill(self) -> None:
        """Kills the process: ends its transactions, connections and tasks, so its code stops."""
        self.alive = False
        self.note("dead")
        for transaction in self.transactions:
            transaction.rollback()
        for answer in self._answers:
            if not answer.done():
                answer.set_exception(NoAnswer())
        for task in list(self._tasks):
            task.cancel()
        self._world.died(self)

    def rolled_back(self) -> None:
        self._world.rolled_back()

    async def call(
        self,
        name: str,
        act: Callable[[], Awaitable[T]],
        *,
        lost: Exception | None = None,
        undo: Callable[[], None] = lambda: None,
        late: Callable[[], None] = lambda: None,
    ) -> T:
        """One numbered port call. It raises `lost` when its answer is lost; then `undo` is what the other
        side does, and `late` what it does where it commits late."""
        fault = self.faults.draw(name)
        self.note(name + (f", BUT {fault}" if fault else ""))
        lost = lost or Unavailable("the server is away")
        await asyncio.sleep(self.faults.latency_s())
        match fault:
            case Fault.DIES_BEFORE:
                await self._die()
            case Fault.SERVER_AWAY:
                self._world.leaves(self, server_of(name))
            case Fault.CONTENDS:
                undo()
                raise Contention("another transaction was first")
            case Fault.COMMITS_LATE:
                late()
                raise lost
        if fault is Fault.FAILS or self._world.is_away(self, server_of(name)):
            undo()
            raise lost
        try:
            result = await act()
        except Contention as error:
            if str(error) == DEADLOCK:
                self._world.deadlocked(self)
            raise
        match fault:
            case Fault.DIES_AFTER:
                await self._die()
            case Fault.ANSWER_LOST:
                undo()
                raise lost
        return result

    async def _die(self) -> None:
        self.kill()
        await asyncio.sleep(0)  # Where the cancellation reaches this task.
        raise AssertionError("the dead do nothing")

    async def serve(self, name: str, act: Callable[[], Awaitable[T]]) -> T:
        """The answer to a caller outside of this process. Raises NoAnswer, or what `act` raises."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def handle() -> None:
            try:
                result = await self.call(name, act, lost=NoAnswer())
            except Exception as error:
                if not answer.done():
                    answer.set_exception(error)
            else:
                if not answer.done():
                    answer.set_result(result)

        if not self.alive:
            raise NoAnswer
        self._answers[answer] = None
        self.spawn(handle())
        try:
            return await answer
        finally:
            self._answers.pop(answer, None)


class SimUnitOfWork(MemoryUnitOfWork):
    """`committed` is called after each commit of the process."""

    def __init__(self, database: MemoryDatabase, process: Process, committed: Callable[[], None]) -> None:
        super().__init__(database)
        self._process = process
        self._committed = committed

    async def __aenter__(self) -> Self:
        await self._process.call("uow.begin", super().__aenter__, undo=self._undo)
        self._process.transactions[self.transaction] = None
        self._kept = False
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                self.transaction.rollback()
                return
            unknown = OutcomeUnknown("nobody said whether it was committed")
            await self._process.call(COMMIT, self._commit, lost=unknown, undo=self._undo, late=self._late)
        finally:
            self._process.transactions.pop(self.transaction, None)
            if not self._kept:
                self._process.rolled_back()
        for wake in self._after_commit:
            wake()

    async def _commit(self) -> None:
        self.transaction.commit()
        self._kept = True
        self._process.note("committed")
        self._committed()

    def _undo(self) -> None:
        if hasattr(self, "transaction"):
            self.transaction.rollback()

    def _late(self) -> None:
        """Lets the server commit later, without the client."""
        transaction = self.transaction
        self._kept = True

        def commit() -> None:
            transaction.commit()
            self._process.note("committed late")
            self._committed()

        self._process.transactions.pop(transaction, None)
        asyncio.get_running_loop().call_later(self._process.faults.outage_s(), commit)
        # Whatever its owner does from now on is no longer part of it.
        self.transaction = Transaction(self._database)


class Port:
    """An adapter whose every method is a numbered call of the process."""

    def __init__(self, process: Process, name: str, target: Any, uow: MemoryUnitOfWork | None = None) -> None:
        self._process, self._name, self._target, self._uow = process, name, target, uow

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            act = partial(getattr(self._target, method), *args, **kwargs)
            return await self._process.call(f"{self._name}.{method}", act, undo=self._undo)

        return call

    def _undo(self) -> None:
        """Rolls back the transaction, because its connection broke."""
        if self._uow is not None:
            self._uow.transaction.rollback()
