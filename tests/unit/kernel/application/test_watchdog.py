"""Health looks at the work: what waits to be published and what waits to be handled, not the connection."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import cast

import pytest

from kernel.application.intake import Intake
from kernel.application.replay import REPLAYED
from kernel.application.trouble import QUIET_S, Trouble
from kernel.application.watchdog import LATE_AFTER_S, Watchdog
from kernel.domain.errors import Unavailable
from kernel.domain.pauses import Pause
from kernel.ports.bus import Bus as AnyBus
from kernel.ports.bus import ConsumerPaused, Envelope
from kernel.ports.pauses import Standing
from tests.unit.clock import RecordingClock


class Bus:
    """Only as far as a Watchdog uses one."""

    healthy = True
    refusal = Unavailable("no queue takes it")

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        raise self.refusal

    async def pause(self) -> None:
        pass

    async def resume(self) -> None:
        pass


class WatchedService:
    def __init__(self) -> None:
        self.clock = RecordingClock()
        self.bus = Bus()
        self.oldest: datetime | None = None
        self.pause: Pause | None = None
        self.database = Trouble("the database", self.clock)
        trouble = Trouble("rabbitmq", self.clock)
        intake = Intake(cast(AnyBus, self.bus), self)
        self.watchdog = Watchdog(cast(AnyBus, self.bus), intake, [self.database], trouble, self.clock)

    async def standing(self) -> Standing:
        return Standing(self.oldest, self.pause)

    async def commit(self) -> None:
        self.oldest = self.clock.now()
        with pytest.raises(Unavailable):
            await self.watchdog.publish([])

    async def pass_time(self, seconds: float) -> None:
        """Lets so much time pass, with a look each second."""
        for _ in range(round(seconds)):
            self.clock.advance(1)
            await self.watchdog.look()


@pytest.fixture
def world(caplog: pytest.LogCaptureFixture) -> WatchedService:
    caplog.set_level(logging.INFO, "kernel")
    return WatchedService()


@asynccontextmanager
async def in_hand(world: WatchedService) -> AsyncIterator[None]:
    """A message is being handled until the end of the block."""

    async def never(_: bytes) -> None:
        await asyncio.Event().wait()

    handling = asyncio.create_task(world.watchdog.handling(never)(b"[]"))
    await asyncio.sleep(0)
    yield
    handling.cancel()
    await asyncio.wait({handling})


async def test_an_idle_shop_is_healthy(world: WatchedService, caplog: pytest.LogCaptureFixture) -> None:
    await world.pass_time(100)
    assert world.watchdog.healthy
    assert caplog.messages == []


async def test_an_event_that_is_not_published_for_seconds_is_named_once_with_the_last_refusal(
    world: WatchedService, caplog: pytest.LogCaptureFixture
) -> None:
    await world.commit()
    await world.pass_time(LATE_AFTER_S)
    assert world.watchdog.healthy
    await world.pass_time(30)
    assert not world.watchdog.healthy
    world.oldest = None
    await world.pass_time(1)
    assert world.watchdog.healthy
    await world.pass_time(QUIET_S)
    assert caplog.messages == [
        "rabbitmq late: events committed 4 s ago are not published: no queue takes it",
        "rabbitmq is back",
    ]


async def test_an_event_that_waited_before_the_process_began_is_late_only_once_it_had_time_for_it(
    world: WatchedService,
) -> None:
    world.oldest = world.clock.now() - timedelta(hours=1)
    await world.pass_time(LATE_AFTER_S)
    assert world.watchdog.healthy
    await world.pass_time(1)
    assert not world.watchdog.healthy


async def test_a_message_that_is_not_handled_for_seconds_is_named_until_it_is(
    world: WatchedService, caplog: pytest.LogCaptureFixture
) -> None:
    async with in_hand(world):
        await world.pass_time(10)
        assert not world.watchdog.healthy
    await world.pass_time(1)
    assert world.watchdog.healthy
    assert caplog.messages == ["rabbitmq late: a message received 4 s ago is not handled"]


async def test_a_publisher_whose_consumer_is_paused_is_late_only_once_it_could_publish_again(
    world: WatchedService, caplog: pytest.LogCaptureFixture
) -> None:
    world.bus.refusal = ConsumerPaused("payments is paused")
    await world.commit()
    for _ in range(20):
        await world.pass_time(1)
        assert world.watchdog.healthy
        with pytest.raises(ConsumerPaused):
            await world.watchdog.publish([])
    await world.pass_time(LATE_AFTER_S)
    assert world.watchdog.healthy
    await world.pass_time(1)
    assert not world.watchdog.healthy
    assert len(caplog.messages) == 1


async def test_a_message_that_waited_for_a_paused_consumer_is_late_counted_from_the_end_of_the_pause(
    world: WatchedService,
) -> None:
    began = world.clock.now()
    world.bus.refusal = ConsumerPaused("payments is paused")
    world.pause = Pause(by="ada", note="", since=began)
    for _ in range(20):
        with pytest.raises(ConsumerPaused):
            await world.watchdog.publish([Envelope("placed", b"[]")])
        await world.pass_time(1)
    world.bus.refusal, world.pause = Unavailable("no queue takes it"), None
    await world.pass_time(10)
    assert world.watchdog.late_since("placed", began) == began + timedelta(seconds=19)
    # A replayed message goes to the service's own consumer.
    assert world.watchdog.late_since(REPLAYED, began) == began + timedelta(seconds=20)
    assert world.watchdog.late_since("cancelled", began) == began
    now = world.clock.now()
    assert world.watchdog.late_since("placed", now) == now


async def test_a_paused_consumer_is_healthy_and_what_it_had_in_hand_is_still_watched(
    world: WatchedService,
) -> None:
    world.pause = Pause(by="ada", note="", since=world.clock.now())
    await world.pass_time(100)
    assert world.watchdog.healthy
    assert world.watchdog.paused
    async with in_hand(world):
        await world.pass_time(10)
        assert not world.watchdog.healthy
    world.pause = None
    await world.pass_time(1)
    assert world.watchdog.healthy
    assert not world.watchdog.paused


async def test_messages_that_come_all_the_time_and_are_handled_are_no_trouble(world: WatchedService) -> None:
    for _ in range(20):
        async with in_hand(world):
            await world.pass_time(1)
            assert world.watchdog.healthy


async def test_work_that_waits_for_the_database_is_not_the_bus_to_blame(
    world: WatchedService, caplog: pytest.LogCaptureFixture
) -> None:
    await world.commit()
    for _ in range(20):
        world.database.report("53100", "refuses: 53100 disk full")
        await world.pass_time(1)
        assert world.watchdog.healthy
    assert caplog.messages == ["the database refuses: 53100 disk full"]


async def test_a_bus_that_is_away_is_unhealthy_at_once_and_says_so_itself(
    world: WatchedService, caplog: pytest.LogCaptureFixture
) -> None:
    world.bus.healthy = False
    assert not world.watchdog.healthy
    await world.commit()
    await world.pass_time(30)
    world.bus.healthy = True
    await world.pass_time(1)
    assert not world.watchdog.healthy, "what waited is still not published"
    world.oldest = world.clock.now() - timedelta(seconds=1)
    await world.pass_time(1)
    assert world.watchdog.healthy
    assert caplog.messages == []


async def test_a_bus_that_goes_away_while_it_is_late_is_not_called_back_before_it_is(
    world: WatchedService, caplog: pytest.LogCaptureFixture
) -> None:
    await world.commit()
    await world.pass_time(LATE_AFTER_S + 1)
    world.bus.healthy = False
    await world.pass_time(QUIET_S + 5)
    assert caplog.messages == ["rabbitmq late: events committed 4 s ago are not published: no queue takes it"]


async def test_trouble_is_told_once_a_kind_and_again_after_it_was_over(
    world: WatchedService, caplog: pytest.LogCaptureFixture
) -> None:
    def report(*kinds: str) -> None:
        for kind in kinds:
            world.database.report(kind, f"refuses: {kind}")
            world.clock.advance(QUIET_S - 1)

    report("53300", "53100", "53300", "53100")
    assert world.database.lasts
    world.clock.advance(2)
    assert not world.database.lasts
    report("53300")
    world.database.over()
    assert not world.database.lasts
    assert caplog.messages == [
        "the database refuses: 53300",
        "the database refuses: 53100",
        "the database is back",
        "the database refuses: 53300",
        "the database is back",
    ]
