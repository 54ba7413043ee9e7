"""Operators pause and resume a consumer; what had an effect is recorded, once."""

from collections.abc import Awaitable, Callable

import pytest

from kernel.application.pause_consumer import OperateConsumer, PauseConsumer, ResumeConsumer
from kernel.domain.caller import ANYONE, Caller, Role
from kernel.domain.errors import Contention, Forbidden, Unavailable
from kernel.domain.parked import OwnName
from kernel.domain.pauses import ConsumerState, Pause
from tests.memory.clock import MemoryClock
from tests.memory.database import MemoryDatabase
from tests.memory.operator_record import OPERATOR_RECORD, MemoryOperatorRecord
from tests.memory.pauses import MemoryPauses, MemoryStandingReading
from tests.memory.unit_of_work import MemoryUnitOfWork

PAYMENTS = OwnName("payments")
ADA, BOB = Caller(Role.OPERATOR, "ada", "gateway"), Caller(Role.OPERATOR, "bob", "console")
RUNNING = ConsumerState(service=PAYMENTS, pause=None)


class Service:
    def __init__(self, *failures: Exception) -> None:
        self.clock = MemoryClock()
        self.database = MemoryDatabase()
        uow = MemoryUnitOfWork(self.database)
        parts = uow, MemoryPauses(uow, PAYMENTS), MemoryOperatorRecord(uow), self.clock
        self._failures = list(failures)
        reading = MemoryStandingReading(self.database, PAYMENTS)
        pause, resume = self._failing(PauseConsumer(*parts)), ResumeConsumer(*parts)
        self.operate = OperateConsumer(reading, PAYMENTS, pause, resume, self.clock)

    def _failing(
        self, act: Callable[[Caller, str, str], Awaitable[None]]
    ) -> Callable[[Caller, str, str], Awaitable[None]]:
        async def call(caller: Caller, about: str, note: str) -> None:
            if self._failures:
                raise self._failures.pop()
            await act(caller, about, note)

        return call

    @property
    def recorded(self) -> list[tuple[str, str, str, str, str]]:
        acts = sorted(self.database.rows(OPERATOR_RECORD), key=lambda act: act.place)
        return [(act.did, act.operator, act.through, act.about, act.note) for act in acts]


async def test_a_paused_consumer_tells_who_paused_it_since_when_and_why() -> None:
    service = Service()
    assert await service.operate.state(ADA) == RUNNING
    pause = Pause(by="ada", note="a flood", since=service.clock.now())
    paused = await service.operate.pause(ADA, "a flood")
    assert paused == ConsumerState(service=PAYMENTS, pause=pause) == await service.operate.state(BOB)
    service.clock.advance(60)
    assert await service.operate.resume(BOB, "it is over") == RUNNING
    assert service.recorded == [
        ("pause_consumer", "ada", "gateway", "the consumer of payments", "a flood"),
        ("resume_consumer", "bob", "console", "the consumer of payments", "it is over"),
    ]


async def test_pausing_a_paused_one_and_resuming_a_running_one_are_nothing_and_are_not_recorded() -> None:
    service = Service()
    assert await service.operate.resume(ADA, "") == RUNNING
    assert service.recorded == []
    first = await service.operate.pause(ADA, "a flood")
    assert await service.operate.pause(BOB, "another") == first
    assert len(service.recorded) == 1


@pytest.mark.parametrize("role", [Role.USER, Role.SERVICE, Role.VIEWER])
async def test_a_caller_who_is_no_operator_pauses_nothing_and_only_a_viewer_sees(role: Role) -> None:
    service, caller = Service(), Caller(role, "alice")
    for act in (service.operate.pause, service.operate.resume):
        with pytest.raises(Forbidden):
            await act(caller, "")
    if role is Role.VIEWER:
        assert await service.operate.state(caller) == RUNNING
    else:
        with pytest.raises(Forbidden):
            await service.operate.state(caller)
    assert service.recorded == []


async def test_anyone_may_pause_where_nobody_is_asked_who_they_are() -> None:
    paused = await Service().operate.pause(ANYONE, "")
    assert paused.pause is not None
    assert paused.pause.by == "anyone"


async def test_a_lost_race_is_repeated_and_so_is_one_failure_of_the_database() -> None:
    service = Service(Unavailable("a host went away"), Contention("somebody was first"))
    assert (await service.operate.pause(ADA, "")).pause is not None
    with pytest.raises(Unavailable):
        await Service(Unavailable("away"), Unavailable("away")).operate.pause(ADA, "")
