"""What operators do about parked messages, while the service works or rests."""

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
    """Begins what WorkOff works off: what waits now is written down with it, and nothing newer joins it."""

    uow: UnitOfWork
    operations: Operations
    record: OperatorRecord
    clock: Clock

    async def __call__(
        self, caller: Caller, kind: Kind, target: UUID, messages: UUID | Cause, about: str, note: str
    ) -> UUID:
        """The id of the operation. Raises NotFound where nothing waits any more."""
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
        act = act_of(f"{kind}_messages", operation.id, caller, about, note, self.clock)
        async with self.uow:
            if not await self.operations.add(operation, messages):
                raise NotFound("message_not_found", f"nothing waits any more: {about}")
            await self.record.add([act])
        return operation.id


@dataclass
class HoldCause:
    uow: UnitOfWork
    held: HeldCauses
    record: OperatorRecord
    clock: Clock

    async def __call__(
        self, caller: Caller, cause: Cause, about: str, owner: str, note: str, ticket: str
    ) -> None:
        hold = Hold(owner=owner, note=note, ticket=ticket, held_by=caller.id, held_at=self.clock.now())
        words = "; ".join(filter(None, (f"owner {owner}", note, ticket and f"ticket {ticket}")))
        act = act_of("hold_group", self.clock.new_id(), caller, about, words, self.clock)
        async with self.uow:
            await self.held.hold({cause: hold})
            await self.record.add([act])


@dataclass
class ReleaseCause:
    uow: UnitOfWork
    held: HeldCauses
    record: OperatorRecord
    clock: Clock

    async def __call__(self, caller: Caller, cause: Cause, about: str, note: str) -> None:
        """Does nothing where it was not held."""
        act = act_of("release_group", self.clock.new_id(), caller, about, note, self.clock)
        async with self.uow:
            if await self.held.release(cause):
                await self.record.add([act])


Begin = Callable[[Caller, Kind, UUID, UUID | Cause, str, str], Awaitable[UUID]]
HoldIt = Callable[[Caller, Cause, str, str, str, str], Awaitable[None]]
Release = Callable[[Caller, Cause, str, str], Awaitable[None]]


class OperateParked:
    """All that operators may do about parked messages. Each call raises Forbidden for whoever may not."""

    def __init__(self, read: ReadParked, begin: Begin, hold: HoldIt, release: Release, clock: Clock) -> None:
        self._read = read
        self._begin = begin
        self._hold = hold
        self._release = release
        self._clock = clock

    @property
    def service(self) -> str:
        return self._read.service

    async def message(self, caller: Caller, kind: Kind, id: UUID, note: str) -> Operation:
        """Begins to replay or discard it. Raises NotFound, and Invalid for a discarding without a note."""
        caller = caller.as_operator()
        _require_note(kind, note)
        found = await self._read.message(caller, id)
        return await self._begun(caller, kind, id, id, f"message {id} of {self.service}: {found.cause}", note)

    async def group(self, caller: Caller, kind: Kind, id: UUID, note: str) -> Operation:
        """Begins to replay or discard all of it that waits now; raises as `message` does."""
        caller = caller.as_operator()
        _require_note(kind, note)
        cause = (await self._read.group(caller, id)).cause
        return await self._begun(caller, kind, id, cause, self._about(id, cause), note)

    async def hold(self, caller: Caller, id: UUID, *, owner: str, note: str, ticket: str) -> Group:
        """Raises NotFound."""
        caller = caller.as_operator()
        cause = (await self._read.group(caller, id)).cause
        about = self._about(id, cause)
        await again(lambda: self._hold(caller, cause, about, owner, note, ticket), self._clock)
        return await self._read.group(caller, id)

    async def release(self, caller: Caller, id: UUID, note: str) -> Group:
        """Raises NotFound."""
        caller = caller.as_operator()
        group = await self._read.group(caller, id)
        about = self._about(id, group.cause)
        await again(lambda: self._release(caller, group.cause, about, note), self._clock)
        return replace(group, hold=None)

    async def _begun(
        self, caller: Caller, kind: Kind, target: UUID, messages: UUID | Cause, about: str, note: str
    ) -> Operation:
        begun = await again(lambda: self._begin(caller, kind, target, messages, about, note), self._clock)
        return await self._read.operation(caller, begun)

    def _about(self, id: UUID, cause: Cause) -> str:
        return f"group {id} of {self.service}: {cause}"


async def again(act: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """Where somebody else was first, and once where another host may have taken over."""
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


def act_of(did: str, subject: UUID, caller: Caller, about: str, note: str, clock: Clock) -> Act:
    return Act(
        subject=subject,
        did=did,
        about=about,
        operator=caller.id,
        through=caller.service,
        note=note,
        at=clock.now(),
    )
