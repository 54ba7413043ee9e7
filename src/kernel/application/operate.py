"""The commands of operators about parked messages: replay, discard, hold and release."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from kernel.application.backoff import Backoff
from kernel.application.batch_attempts import ATTEMPTS_MAX, busy
from kernel.application.read_parked import ReadParked
from kernel.domain.acts import Act
from kernel.domain.caller import Caller
from kernel.domain.errors import Contention, Invalid, NotFound, Unavailable
from kernel.domain.parked import Cause, Group, Hold, Kind, Operation
from kernel.ports.clock import Clock
from kernel.ports.operator_record import OperatorRecord
from kernel.ports.parked import HeldCauses, Operations
from kernel.ports.unit_of_work import UnitOfWork

T = TypeVar("T")


@dataclass
class BeginOperation:
    """Stores an operation for WorkOff, with the messages that wait now. Later messages do not join it."""

    uow: UnitOfWork
    operations: Operations
    record: OperatorRecord

    async def __call__(self, operation: Operation, messages: UUID | Cause) -> None:
        """Raises NotFound if no message waits any more. Safe to repeat: the operation is stored once."""
        act = Act(
            subject=operation.id,
            did=f"{operation.kind}_messages",
            about=operation.about,
            operator=operation.operator,
            through=operation.through,
            note=operation.note,
            at=operation.began_at,
        )
        async with self.uow:
            if not await self.operations.add(operation, messages):
                raise NotFound("message_not_found", f"nothing waits any more: {operation.about}")
            await self.record.add([act])


@dataclass
class HoldCause:
    uow: UnitOfWork
    held: HeldCauses
    record: OperatorRecord

    async def __call__(self, cause: Cause, hold: Hold, act: Act) -> None:
        async with self.uow:
            await self.held.hold({cause: hold})
            await self.record.add([act])


@dataclass
class ReleaseCause:
    uow: UnitOfWork
    held: HeldCauses
    record: OperatorRecord

    async def __call__(self, cause: Cause, act: Act) -> None:
        """Does nothing if the cause is not held."""
        async with self.uow:
            if await self.held.release(cause):
                await self.record.add([act])


@dataclass
class OperateParked:
    """Checks and runs the commands of operators. Each command raises Forbidden for any other caller."""

    read: ReadParked
    begin: Callable[[Operation, UUID | Cause], Awaitable[None]]
    hold_cause: Callable[[Cause, Hold, Act], Awaitable[None]]
    release_cause: Callable[[Cause, Act], Awaitable[None]]
    clock: Clock

    @property
    def service(self) -> str:
        return self.read.service

    async def message(self, caller: Caller, kind: Kind, id: UUID, note: str) -> Operation:
        """Begins to replay or discard a message. Raises NotFound, or Invalid if a discard has no note."""
        caller = caller.as_operator()
        _require_note(kind, note)
        found = await self.read.message(caller, id)
        return await self._begun(caller, kind, id, id, f"message {id} of {self.service}: {found.cause}", note)

    async def group(self, caller: Caller, kind: Kind, id: UUID, note: str) -> Operation:
        """Begins to replay or discard the messages of a group that wait now. Raises as `message` does."""
        caller = caller.as_operator()
        _require_note(kind, note)
        cause = (await self.read.group(caller, id)).cause
        return await self._begun(caller, kind, id, cause, self._about(id, cause), note)

    async def hold(self, caller: Caller, id: UUID, *, owner: str, note: str, ticket: str) -> Group:
        """Holds a group. Raises NotFound if there is no such group."""
        caller = caller.as_operator()
        cause = (await self.read.group(caller, id)).cause
        words = "; ".join(filter(None, (f"owner {owner}", note, ticket and f"ticket {ticket}")))
        act = new_act("hold_group", caller, self._about(id, cause), words, self.clock)
        hold = Hold(owner=owner, note=note, ticket=ticket, held_by=caller.id, held_at=act.at)
        await retried(lambda: self.hold_cause(cause, hold, act), self.clock)
        return await self.read.group(caller, id)

    async def release(self, caller: Caller, id: UUID, note: str) -> Group:
        """Ends the hold of a group, if it has one. Raises NotFound if there is no such group."""
        caller = caller.as_operator()
        group = await self.read.group(caller, id)
        act = new_act("release_group", caller, self._about(id, group.cause), note, self.clock)
        await retried(lambda: self.release_cause(group.cause, act), self.clock)
        return replace(group, hold=None)

    async def _begun(
        self, caller: Caller, kind: Kind, target: UUID, messages: UUID | Cause, about: str, note: str
    ) -> Operation:
        operation = Operation(
            id=self.clock.new_id(),
            kind=kind,
            target=target,
            about=about,
            operator=caller.id,
            through=caller.service,
            note=note,
            began_at=self.clock.now(),
        )
        await retried(lambda: self.begin(operation, messages), self.clock)
        return await self.read.operation(caller, operation.id)

    def _about(self, id: UUID, cause: Cause) -> str:
        return f"group {id} of {self.service}: {cause}"


async def retried(act: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """Calls `act`. Repeats it after Contention, and once after Unavailable, because another database host may
    have taken over."""
    backoff, failures = Backoff(clock), 0
    for _ in range(ATTEMPTS_MAX):
        try:
            return await act()
        except Contention:
            await backoff.wait()
        except Unavailable:
            failures += 1
            if failures > 1:
                raise
    raise busy()


def _require_note(kind: Kind, note: str) -> None:
    if kind is Kind.DISCARD and not note.strip():
        raise Invalid.field("note", "is required: what is discarded is gone for good")


def new_act(did: str, caller: Caller, about: str, note: str, clock: Clock) -> Act:
    return Act(
        subject=clock.new_id(),
        did=did,
        about=about,
        operator=caller.id,
        through=caller.service,
        note=note,
        at=clock.now(),
    )
