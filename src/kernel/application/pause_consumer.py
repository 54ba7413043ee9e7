"""Operators pause and resume the consumer of a service. Every process of the service follows (Intake)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kernel.application.operate import new_act, retried
from kernel.domain.caller import Caller
from kernel.domain.parked import OwnName
from kernel.domain.pauses import ConsumerState, Pause
from kernel.ports.clock import Clock
from kernel.ports.operator_record import OperatorRecord
from kernel.ports.pauses import Pauses, StandingReading
from kernel.ports.unit_of_work import UnitOfWork


@dataclass
class PauseConsumer:
    uow: UnitOfWork
    pauses: Pauses
    record: OperatorRecord
    clock: Clock

    async def __call__(self, caller: Caller, about: str, note: str) -> None:
        """Does nothing if the consumer is paused already."""
        pause = Pause(by=caller.id, note=note, since=self.clock.now())
        act = new_act("pause_consumer", caller, about, note, self.clock)
        async with self.uow:
            if await self.pauses.begin(pause):
                await self.record.add([act])


@dataclass
class ResumeConsumer:
    uow: UnitOfWork
    pauses: Pauses
    record: OperatorRecord
    clock: Clock

    async def __call__(self, caller: Caller, about: str, note: str) -> None:
        """Does nothing if the consumer is not paused."""
        act = new_act("resume_consumer", caller, about, note, self.clock)
        async with self.uow:
            if await self.pauses.end():
                await self.record.add([act])


Act = Callable[[Caller, str, str], Awaitable[None]]


@dataclass
class OperateConsumer:
    """The commands of operators for the consumer of a service. `pause` and `resume` raise Forbidden for any
    other caller; a viewer may call `state`, too."""

    reading: StandingReading
    service: OwnName
    begin_pause: Act
    end_pause: Act
    clock: Clock

    async def state(self, caller: Caller) -> ConsumerState:
        caller.require_to_see_all()
        standing = await retried(self.reading.standing, self.clock)
        return ConsumerState(service=self.service, pause=standing.pause)

    async def pause(self, caller: Caller, note: str) -> ConsumerState:
        return await self._done(self.begin_pause, caller, note)

    async def resume(self, caller: Caller, note: str) -> ConsumerState:
        return await self._done(self.end_pause, caller, note)

    async def _done(self, act: Act, caller: Caller, note: str) -> ConsumerState:
        caller = caller.as_operator()
        await retried(lambda: act(caller, f"the consumer of {self.service}", note), self.clock)
        return await self.state(caller)
