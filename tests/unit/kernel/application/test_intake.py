"""A process takes messages unless an operator paused its consumer."""

from datetime import UTC, datetime
from typing import cast

import pytest

from kernel.application.intake import Intake
from kernel.application.relay import RelayResult
from kernel.domain.errors import Unavailable
from kernel.domain.pauses import Pause
from kernel.ports.bus import Bus
from kernel.ports.pauses import Standing

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PAUSE = Pause(by="ada", note="a flood", since=NOON)


class Service:
    """Its bus notes what it is told, and its database tells what a test says."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.now: Standing | Unavailable = Standing(None, None)
        self.intake = Intake(cast(Bus, self), self)

    async def pause(self) -> None:
        self.told.append("pause")

    async def resume(self) -> None:
        self.told.append("resume")

    async def standing(self) -> Standing:
        if isinstance(self.now, Unavailable):
            raise self.now
        return self.now

    async def looks(self, now: Standing | Unavailable) -> datetime | None:
        self.now = now
        return await self.intake.look()


@pytest.fixture
def service() -> Service:
    return Service()


async def test_the_bus_is_told_once_of_each_change(service: Service) -> None:
    for pause in (None, None, PAUSE, PAUSE, None, None, PAUSE):
        await service.looks(Standing(None, pause))
        assert service.intake.paused is (pause is not None)
    assert service.told == ["pause", "resume", "pause"]


async def test_each_look_says_since_when_the_oldest_event_waits(service: Service) -> None:
    assert await service.looks(Standing(None, PAUSE)) is None
    assert await service.looks(Standing(NOON, PAUSE)) == NOON


async def test_while_the_database_does_not_answer_all_stays_as_it_was(service: Service) -> None:
    await service.looks(Standing(None, PAUSE))
    with pytest.raises(Unavailable):
        await service.looks(Unavailable("away"))
    assert service.intake.paused
    assert service.told == ["pause"]


async def test_a_replay_waits_while_the_consumer_is_paused(service: Service) -> None:
    async def replay(what: str) -> RelayResult:
        replayed.append(what)
        return RelayResult(1, full=True)

    replayed: list[str] = []
    act = service.intake.unless_paused(replay)
    assert (await act("a")).events == 1
    await service.looks(Standing(None, PAUSE))
    assert await act("b") == RelayResult(0, full=False)
    await service.looks(Standing(None, None))
    await act("c")
    assert replayed == ["a", "c"]
