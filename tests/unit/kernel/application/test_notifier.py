import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import pytest

from kernel.application.notifier import ASK_EVERY_S, WAITING_MAX, BackgroundNotifier
from kernel.domain.errors import Unavailable
from kernel.ports.bus import Envelope
from tests.servers.process import eventually
from tests.unit.clock import RecordingClock

TYPE = "shop.tests.happened.v1"


class Listener:
    """A bus on which somebody listens, or nobody, or which is away."""

    def __init__(self) -> None:
        self.listens = self.away = False
        self.sent: list[list[int]] = []
        self.committed_meanwhile: list[int] = []
        self.clock = RecordingClock()
        self.notifier = BackgroundNotifier(self.encode, self, self.clock)
        self.encoded_count = 0

    def encode(self, event: int, event_id: UUID, at: datetime) -> tuple[str, bytes]:
        self.encoded_count += 1
        if event < 0:
            raise ValueError("a bug")
        return TYPE, b"%d" % event

    async def notify(self, envelope: Envelope) -> bool:
        if self.away:
            raise Unavailable("the bus is away")
        self.sent.append(json.loads(envelope.body))
        meanwhile, self.committed_meanwhile = self.committed_meanwhile, []
        self.notifier.notify(meanwhile)
        return self.listens

    async def sees(self, *batches: list[int]) -> None:
        await eventually(lambda: self.sent == list(batches), every=0.001)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    running = asyncio.create_task(listener.notifier.run())
    yield listener
    running.cancel()


async def test_a_listener_is_notified_of_everything_in_order(listener: Listener) -> None:
    listener.listens = True
    listener.notifier.notify([1, 2, 3])
    await listener.sees([1], [2, 3])
    listener.notifier.notify([4, 5])
    await listener.sees([1], [2, 3], [4, 5])


async def test_while_nobody_listens_only_the_first_of_a_batch_is_encoded_and_sent(listener: Listener) -> None:
    listener.notifier.notify(list(range(100)))
    await listener.sees([0])
    assert listener.encoded_count == 1


async def test_while_nobody_listens_it_asks_ten_times_a_second(listener: Listener) -> None:
    clock = listener.clock
    for number in range(3):
        listener.notifier.notify([number])
        await listener.sees(*([n] for n in range(number + 1)))
        assert clock.slept == [ASK_EVERY_S] * (number + 1)
    listener.listens = True
    listener.notifier.notify([3])
    await listener.sees([0], [1], [2], [3])
    assert len(clock.slept) == 3


async def test_a_commit_while_the_notifier_asks_is_not_lost(listener: Listener) -> None:
    listener.committed_meanwhile = [2]
    listener.notifier.notify([1])
    await listener.sees([1], [2])


async def test_notifications_that_waited_while_nobody_listened_are_lost(listener: Listener) -> None:
    listener.notifier.notify(list(range(1000)))
    await listener.sees([0])
    listener.listens = True
    listener.notifier.notify([1000])
    await listener.sees([0], [1000])


async def test_a_listener_that_stops_or_begins_is_noticed(listener: Listener) -> None:
    listener.listens = True
    listener.notifier.notify([1])
    await listener.sees([1])
    listener.listens = False
    listener.notifier.notify([2, 3])
    await listener.sees([1], [2, 3])
    listener.notifier.notify([4, 5])
    await listener.sees([1], [2, 3], [4])


async def test_a_notification_while_the_bus_is_away_is_lost_and_the_next_is_not(listener: Listener) -> None:
    listener.listens = listener.away = True
    listener.notifier.notify([1])
    await eventually(lambda: listener.encoded_count == 1, every=0.001)
    listener.away = False
    listener.notifier.notify([2, 3])
    await listener.sees([2], [3])


async def test_of_too_many_the_oldest_are_lost(listener: Listener) -> None:
    listener.listens = True
    listener.notifier.notify(list(range(WAITING_MAX + 1)))
    await eventually(lambda: listener.sent and listener.sent[-1][-1] == WAITING_MAX, every=0.001)
    assert listener.sent[0] == [1]
    assert max(map(len, listener.sent)) == 200


async def test_a_notification_that_cannot_be_encoded_stops_nothing(listener: Listener) -> None:
    listener.listens = True
    listener.notifier.notify([-1])
    await eventually(lambda: listener.encoded_count == 1, every=0.001)
    listener.notifier.notify([1, 2])
    await listener.sees([1], [2])
